-- codec.json: values in and out, and what happens to events that are no JSON.
local files = require "spec.support.files"
local stagehost = require "stagehost"

local json, sink, source = stagehost.codec.json, stagehost.sink, stagehost.source

local function convert(definition, events)
    local producer = assert(stagehost.start(source.list(events)))
    local codec = assert(stagehost.start(definition))
    local consumer = assert(stagehost.start(sink.collect()))
    assert(consumer:subscribe { to = codec, cancel = "temporary" })
    assert(codec:subscribe { to = producer, max_demand = 10 })
    local result = consumer:call("finish", 1000)
    return result.events, result.reason
end

describe("codec.json functions", function()
    it("decode and encode", function()
        assert.same({ a = { 1, 2, "x" } }, (json.decode '{"a":[1,2,"x"]}'))
        assert.equal("[1,2]", (json.encode { 1, 2 }))
        assert.equal(json.null, (json.decode "null"))
        assert.equal('{"a":null}', (json.encode { a = json.null }))
    end)

    it("tell what is wrong", function()
        local value, message = json.decode "[1,"
        assert.is_nil(value)
        assert.equal("Expected value but found T_END at character 4", message)
        for text, expected in pairs {
            ["[NaN]"] = "invalid", ["{} x"] = "Expected the end", [""] = "T_END",
        } do
            assert.matches(expected, select(2, json.decode(text)))
        end
        assert.matches("must not be NaN or Inf", select(2, json.encode { 0 / 0 }))
        assert.matches("must not be NaN or Inf", select(2, json.encode(math.huge)))
        assert.matches("excessively sparse", select(2, json.encode { [1] = 1, [1000] = 2 }))
        assert.matches("function", select(2, json.encode { print }))
        local cycle = {}
        cycle[1] = cycle
        assert.matches("nesting", select(2, json.encode(cycle)))
    end)

    it("keep integers exact up to 2^53", function()
        for _, integer in ipairs { 0, 1e13, 1e14, 1e14 + 1, 1446249499322123, 2 ^ 53, -(2 ^ 53) } do
            local text = json.encode { n = integer, s = "1e+14 +1" }
            assert.same({ n = integer, s = "1e+14 +1" }, (json.decode(text)))
            assert.truthy(text:find(("%.0f"):format(integer), 1, true))
        end
    end)

    it("have settings of their own", function()
        local cjson = require "cjson"
        cjson.encode_invalid_numbers(true)
        local text = json.encode { 1 / 0 }
        cjson.encode_invalid_numbers(false)
        assert.is_nil(text)
    end)
end)

describe("codec.json.decoder", function()
    it("decodes each event", function()
        local events, reason = convert(json.decoder(), { '{"a":1}', "[]", "null", "5", '"x"', "false" })
        assert.same({ { a = 1 }, {}, json.null, 5, "x", false }, events)
        assert.equal("normal", reason)
    end)

    it("fails at the first bad event, after those before it", function()
        local events, reason = convert(json.decoder(), { "1", "2", "bad\nline", "4" })
        assert.same({ 1, 2 }, events)
        assert.equal("codec.json.decoder: line 3: Expected value but found invalid token at character 1: "
            .. '"bad\\nline"', reason)
    end)

    it("shortens a long event in its reason", function()
        local _, reason = convert(json.decoder(), { ("x"):rep(100000) })
        assert.is_true(#reason < 200)
        assert.matches('x"%.%.%.$', reason)
    end)

    it("shows the place of the error, and of a text that is cut short the end", function()
        local fields = {}
        for i = 1, 100 do
            fields[i] = ('"field%d":%d'):format(i, i)
        end
        local text = "{" .. table.concat(fields, ",")
        local _, reason = convert(json.decoder(), { text })
        assert.equal("codec.json.decoder: line 1: Expected comma or object end but found T_END at character "
            .. #text + 1 .. ": ..." .. ("%q"):format(text:sub(-60)), reason)
        _, reason = convert(json.decoder(), { "{}", text .. "}\0{}" })
        assert.matches("line 2: Expected the end but found a NUL byte at character " .. #text + 2
            .. ': ..."', reason, 1, true)
        assert.matches([[\"field100\":100}\0{}"]], reason, 1, true)
    end)

    it("decodes integers beyond 2^53 as its option says", function()
        local text = "[12345678901234567890,-9007199254740993,5]"
        for _, worker in ipairs { 0, stagehost.workers() - 1 } do
            local producer = assert(stagehost.start(source.list { text, text }))
            local decoder = assert(stagehost.start(json.decoder { big_integers = "int64" },
                { worker = worker, subscribe_to = { producer } }))
            local encoder = assert(stagehost.start(json.encoder(), { subscribe_to = { decoder } }))
            assert.same({ text, text }, (sink.collect_from(encoder)))
        end
        assert.same({ { "12345678901234567890", "-9007199254740993", 5 } },
            (convert(json.decoder { big_integers = "string" }, { text })))
        local _, reason = convert(json.decoder(), { text })
        assert.matches("line 1: .*an integer beyond 2%^53 %(big_integers = .* at character 2", reason)
    end)

    it("skips and counts bad events", function()
        local lines, expected = {}, {}
        for i = 1, 1000 do
            local is_bad = i % 3 == 0 or i > 990
            lines[i] = is_bad and "{bad" or tostring(i)
            expected[#expected + 1] = not is_bad and i or nil
        end
        local queue = assert(source.queue():start())
        local decoder = assert(stagehost.start(json.decoder { on_error = "skip" }))
        local consumer = assert(stagehost.start(sink.collect()))
        assert(consumer:subscribe { to = decoder, cancel = "temporary" })
        assert(decoder:subscribe { to = queue.stage })
        queue:push_all(lines)
        files.eventually(function()
            return decoder:call("stats").events == 1000
        end)
        local stats = decoder:call "stats"
        assert.equal(340, stats.failed)
        assert.matches("^codec.json.decoder: line 3: .*: \"{bad\"$", stats.first_error)
        queue:close()
        assert.same(expected, consumer:call("finish", 1000).events)
    end)

    it("sends bad events to a dead-letter stage", function()
        local letters = {}
        local dead = assert(stagehost.start(stagehost.process {
            handle_cast = function(_, letter)
                letters[#letters + 1] = letter
            end,
        }, { name = "spec-dead" }))
        for _, to in ipairs { dead, "spec-dead" } do
            letters = {}
            assert.same({ 1, 3 }, (convert(json.decoder { on_error = to }, { "1", "x", "3" })))
            assert.equal(1, #letters)
            local letter = letters[1]
            assert.equal("x", letter.event)
            assert.equal(2, letter.line)
            assert.matches("invalid token", letter.error)
            assert.matches("^#%d+$", letter.stage)
        end
        dead:stop()
    end)

    it("waits for a full dead-letter queue", function()
        local queue = assert(source.queue({ limit = 2 }):start())
        local consumer = assert(stagehost.start(sink.collect()))
        local lines = {}
        for i = 1, 50 do
            lines[i] = "bad " .. i
        end
        assert(consumer:subscribe { to = queue.stage, cancel = "temporary", max_demand = 1 })
        assert.same({}, (convert(json.decoder { on_error = queue }, lines)))
        queue:close()
        local letters = consumer:call("finish", 1000).events
        assert.equal(50, #letters)
        assert.equal("bad 50", letters[50].event)
        assert.equal(50, letters[50].line)
    end)

    it("fails when the dead-letter stage is gone", function()
        local dead = assert(stagehost.start(stagehost.process {}))
        dead:stop()
        local _, reason = convert(json.decoder { on_error = dead }, { "bad" })
        assert.matches("it can't be sent to the dead%-letter stage: that stage is not alive$", reason)
    end)

    it("does not start with a name nobody has, which may be a policy misspelt", function()
        local stage, message = stagehost.start(json.decoder { on_error = "skipp" })
        assert.is_nil(stage)
        assert.matches('option "on_error": no stage has the name "skipp"', message)
    end)

    it("runs on another worker", function()
        local worker = stagehost.workers() - 1
        local queue = assert(source.queue():start())
        local producer = assert(stagehost.start(source.list { "1", "bad", "null" }))
        local decoder = assert(stagehost.start(json.decoder { on_error = queue },
            { worker = worker, subscribe_to = { producer } }))
        assert.same({ 1, json.null }, (sink.collect_from(decoder)))
        queue:close()
        assert.equal("bad", sink.collect_from(queue.stage)[1].event)
    end)
end)

describe("codec.json.encoder", function()
    it("encodes each event", function()
        assert.same({ '{"a":1}', "[1,2]", "5", '"x"', "null" },
            (convert(json.encoder(), { { a = 1 }, { 1, 2 }, 5, "x", json.null })))
    end)

    it("takes the options of the codec", function()
        assert.same({ '"\239\191\189"' }, (convert(json.encoder { invalid_utf8 = "replace" }, { "\255" })))
        local _, reason = convert(json.encoder(), { { a = "\255" } })
        assert.matches("^codec.json.encoder: line 1: Cannot serialise string at a: invalid UTF%-8", reason)
        assert.error_matches(function()
            json.encoder { on_errors = "skip" }
        end, 'unknown option "on_errors" of codec.json.encoder: did you mean "on_error"? '
            .. '(known: "big_integers", "invalid_utf8", "on_error")',
            1, true)
    end)

    it("treats what can't be encoded by the same policies", function()
        assert.same({ "1", "3" }, (convert(json.encoder { on_error = "skip" }, { 1, 0 / 0, 3 })))
        local events, reason = convert(json.encoder(), { 1, { f = 0 / 0 }, 3 })
        assert.same({ "1" }, events)
        assert.matches("^codec.json.encoder: line 2: .*must not be NaN or Inf$", reason)
    end)
end)
