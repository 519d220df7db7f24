-- SPDX-License-Identifier: MIT

local definition = require "stagehost.options.definition"

local function nothing() end

local function refuses(kind, def, pattern)
    local ok, err = pcall(definition.new, kind, def)
    assert.is_false(ok)
    assert.equal("invalid_definition", err.name)
    assert.matches(pattern, tostring(err))
end

describe("a definition", function()
    it("is the table it was made of", function()
        local def = { handle_events = nothing, helper = nothing, LIMIT = 5, [1] = true }
        assert.equal(def, definition.new("consumer", def))
        assert.equal("consumer", definition.kind_of(def))
        assert.equal(def, definition.new("consumer", def))
    end)

    it("may do without handle_demand, not without handle_events", function()
        definition.new("producer", {})
        definition.new("process", {})
        refuses("consumer", {}, "a consumer needs the callback handle_events")
        refuses("producer_consumer", { init = nothing },
            "a producer_consumer needs the callback handle_events")
    end)

    it("may inherit callbacks and defaults", function()
        local base = { handle_events = nothing }
        definition.new("consumer", setmetatable({}, { __index = base }))
    end)

    it("must be a table", function()
        refuses("producer", "x", "producer is defined by a table of callbacks, got string")
        refuses("producer", nil, "got nil")
    end)

    it("has one kind", function()
        local def = definition.new("process", {})
        refuses("producer", def, 'the field "kind" of a producer is for the library, got "process"')
    end)

    it("has functions as callbacks", function()
        refuses("producer", { handle_demand = "next" },
            'callback handle_demand of a producer must be a function, got "next"')
    end)

    it("says which callbacks another kind has", function()
        refuses("producer", { handle_events = nothing },
            'a producer has no callback handle_events %(it has "format_discarded", ')
        refuses("producer", { handle_end = nothing }, "a producer has no callback handle_end %(it has")
        refuses("process", { handle_end = nothing }, "a process has no callback handle_end")
        refuses("process", { handle_subscribe = nothing },
            "a process has no callback handle_subscribe")
        refuses("consumer", { handle_events = nothing, handle_demand = nothing },
            "a consumer has no callback handle_demand")
    end)

    local misspelt = {
        handle_ends = "handle_end", handleEnd = "handle_end",
        handle_event = "handle_events", handleEvents = "handle_events",
        handle_evnets = "handle_events",
        HANDLE_CALL = "handle_call", handle_canel = "handle_cancel", terminated = "terminate",
        Init = "init", format_discard = "format_discarded", bufer_size = "buffer_size",
        subscribeTo = "subscribe_to", dispacher = "dispatcher",
    }

    for word, meant in pairs(misspelt) do
        it("does not take " .. word .. " for a helper", function()
            refuses("producer_consumer", { handle_events = nothing, [word] = nothing },
                ('unknown callback or option "%s" of a producer_consumer: did you mean "%s"?')
                    :format(word, meant))
        end)
    end

    it("is not told of what other kinds have", function()
        refuses("producer", { handle_event = nothing },
            'unknown callback "handle_event" of a producer %(known: .*"handle_demand"')
        refuses("consumer", { handle_events = nothing, handle_demandd = nothing },
            'unknown callback "handle_demandd" of a consumer %(known: ')
        refuses("consumer", { handle_events = nothing, buffer_size = 3 },
            'a consumer has no option buffer_size %(it has .*"subscribe_to"')
        refuses("producer", { subscribe_to = {} }, "a producer has no option subscribe_to")
        definition.new("process", { cancel = nothing, demand = nothing }) -- helpers
    end)

    it("does not take anything that starts like a callback for a helper", function()
        refuses("consumer", { handle_events = nothing, handle_weather = nothing },
            'unknown callback "handle_weather" of a consumer %(known: "handle_call"')
    end)

    local helpers = { "unit", "game", "dispatch", "demands", "terminal", "send", "hash", "state" }

    for _, word in ipairs(helpers) do
        it("takes " .. word .. " for a helper", function()
            definition.new("producer", { [word] = nothing })
        end)
    end

    it("is checked again where it arrives from another worker", function()
        assert.equal("process", definition.kind_of { kind = "process" })
        assert.error_matches(function()
            definition.kind_of { kind = "consumer" }
        end, "needs the callback handle_events")
        for _, wrong in ipairs { {}, "x", 5, nothing, { kind = "other" } } do
            assert.error_matches(function()
                definition.kind_of(wrong)
            end, "expected a definition made by stagehost.producer, ")
        end
    end)
end)
