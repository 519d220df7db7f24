-- source.lines: a file that gets shorter while it is read is noticed, one that grows is not.
local command = require "spec.support.command"
local files = require "spec.support.files"
local stagehost = require "stagehost"
local uv = stagehost.uv

local LINE = 10

local function numbered(first, last)
    local lines = {}
    for i = first, last do
        lines[#lines + 1] = ("%09d"):format(i)
    end
    return lines
end

local function text(first, last)
    return table.concat(numbered(first, last), "\n") .. "\n"
end

-- Asks for as many as it is told to, and keeps what it gets. When it has got what it asked for the
-- source has nothing in its hands and reads nothing.
local Asker = stagehost.consumer {
    init = function(self)
        self.got = {}
    end,
    handle_subscribe = function(self, _, _, from)
        self.from = from
        return "manual"
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            self.got[#self.got + 1] = event
        end
    end,
    handle_cancel = function(self, reason)
        self.reason = reason
    end,
    handle_call = function(self, n)
        if n then
            stagehost.ask(self.from, n)
        end
        return { lines = self.got, reason = self.reason }
    end,
}

describe("source.lines of a file that", function()
    local folder, path, asker, now

    before_each(function()
        folder = files.new()
        now = uv.now()
        stub(uv, "now", function()
            return now
        end)
    end)

    after_each(function()
        uv.now:revert()
        asker:stop()
        folder:remove()
    end)

    --- Has 100 lines, of which 20 are read.
    local function start(options)
        path = path or folder:write("log", text(1, 100))
        options = options or {}
        options.path, options.chunk_size, options.progress = options.path or path, 20 * LINE, false
        local source = assert(stagehost.start(stagehost.source.lines(options)))
        asker = assert(stagehost.start(Asker))
        assert(asker:subscribe { to = source, cancel = "temporary", max_demand = 1000 })
    end

    local function ask(n)
        local before = #asker:call(nil).lines
        asker:call(n)
        files.eventually(function()
            local seen = asker:call(nil)
            return seen.reason or #seen.lines == before + n
        end)
        return asker:call(nil)
    end

    before_each(function()
        path = nil
        start()
        assert.same(numbered(1, 20), ask(20).lines)
    end)

    local function resize(lines)
        local fd = assert(uv.fs_open(path, "r+", 0))
        assert(uv.fs_ftruncate(fd, lines * LINE))
        assert(uv.fs_close(fd))
    end

    local function expect_failure(last, is_now, before, n_read)
        local seen = ask(1000)
        assert.same(numbered(1, last), seen.lines)
        assert.equal(("cannot read %s: it was cut while it was read: "
            .. "it has %d bytes now and had %d, of which %d were read")
            :format(path, is_now * LINE, before * LINE, n_read * LINE), seen.reason)
    end

    it("is cut to nothing fails, with the lines before delivered", function()
        resize(0)
        expect_failure(20, 0, 100, 20)
    end)

    it("is cut in what was read fails", function()
        resize(5)
        expect_failure(20, 5, 100, 20)
    end)

    it("is cut where reading has come to fails", function()
        resize(20)
        expect_failure(20, 20, 100, 20)
    end)

    it("is cut in what was not read fails at its end", function()
        resize(50)
        expect_failure(50, 50, 100, 50)
    end)

    it("is cut by one byte fails", function()
        ask(80)
        resize(99.9)
        expect_failure(100, 99.9, 100, 100)
    end)

    it("is cut and then grows again fails where it ends", function()
        resize(10)
        folder:append("log", text(11, 60))
        expect_failure(60, 60, 100, 60)
    end)

    it("is cut in what was not read fails at the next read after a pause", function()
        resize(50)
        now = now + 100
        expect_failure(20, 50, 100, 20)
    end)

    it("has grown and is cut to more than it had at first fails", function()
        folder:append("log", text(101, 200))
        ask(180)
        resize(150)
        expect_failure(200, 150, 200, 200)
    end)

    it("has grown and is cut to more than it had at first is compared with its size after a pause", function()
        folder:append("log", text(101, 200))
        now = now + 100
        ask(20)
        resize(150)
        expect_failure(150, 150, 200, 150)
    end)

    it("grows is read to its end", function()
        folder:append("log", text(101, 150))
        now = now + 100
        assert.same(numbered(1, 120), ask(100).lines)
        folder:append("log", text(151, 300))
        local seen = ask(1000)
        assert.same(numbered(1, 300), seen.lines)
        assert.equal("normal", seen.reason)
    end)

    it("does not change is read to its end", function()
        now = now + 100
        ask(40)
        now = now + 100000
        local seen = ask(1000)
        assert.same(numbered(1, 100), seen.lines)
        assert.equal("normal", seen.reason)
    end)

    it("is deleted is read to its end", function()
        assert(os.remove(path))
        folder:write("log", "another\n")
        local seen = ask(1000)
        assert.same(numbered(1, 100), seen.lines)
        assert.equal("normal", seen.reason)
    end)

    it("is cut is read to where it ends now when its stage only warns", function()
        asker:stop()
        start { on_shrink = "warn" }
        ask(20)
        resize(49.5)
        local seen = ask(1000)
        assert.same(numbered(1, 49), { unpack(seen.lines, 1, 49) })
        assert.same({ "00000" }, { unpack(seen.lines, 50) })
        assert.equal("normal", seen.reason)
    end)

    it("is cut is followed by the next one when its stage only warns", function()
        asker:stop()
        start { path = { path, folder:write("next", text(101, 130)) }, on_shrink = "warn" }
        ask(20)
        resize(10)
        local seen = ask(1000)
        assert.same(numbered(101, 130), { unpack(seen.lines, 21) })
        assert.equal("normal", seen.reason)
    end)
end)

describe("source.lines", function()
    local READ = [[
        local stagehost = require "stagehost"
        local uv = stagehost.uv
        local source = stagehost.start(stagehost.source.lines {
            path = arg[1], on_shrink = arg[2], chunk_size = 4, progress = false })
        local sink = stagehost.start(stagehost.consumer {
            handle_events = function(self, events)
                if not self.has_cut then
                    self.has_cut = true
                    uv.fs_ftruncate(uv.fs_open("log", "r+", 0), 4)
                end
                print(table.concat(events, "\n"))
            end,
        })
        sink:subscribe { to = source, max_demand = 1 }
        sink:join()
    ]]

    local function run(line)
        return command.run(line, { ["read.lua"] = READ, log = "one\ntwo\nfour\n" })
    end

    it("says what was cut", function()
        local r = run "$S read.lua log"
        assert.equal(70, r.status)
        assert.matches("one\n", r.out)
        assert.matches("cannot read log: it was cut while it was read: it has 4 bytes now and had 13, "
            .. "of which %d+ were read", r.err)
    end)

    it("says it, and goes on, if told to", function()
        local r = run "$S read.lua log warn"
        assert.equal(0, r.status)
        assert.matches("one\n", r.out)
        assert.matches('level=warn msg="log: it was cut while it was read: it has 4 bytes now and had 13, '
            .. "of which %d+ were read", r.err)
        assert.equal(1, select(2, r.err:gsub("it was cut", "")))
    end)

    it("does not ask it of standard input, and of what is in no file", function()
        for _, line in ipairs { "$S read.lua - <log", "cat log | $S read.lua -", "$S read.lua /proc/self/status",
            "$S read.lua /dev/null" } do
            local r = run(line)
            assert.equal("", r.err)
            assert.equal(0, r.status)
        end
    end)

    it("knows two ways to deal with it", function()
        local ok, err = pcall(stagehost.source.lines, { path = "x", on_shrink = "ignore" })
        assert.is_false(ok)
        assert.matches('option "on_shrink" must be one of "error", "warn", got "ignore"', tostring(err))
    end)
end)
