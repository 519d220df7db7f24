-- Standard input and output of the command, whatever they are: what source.lines "-" and the sinks do.
local files = require "spec.support.files"

local stagehost = os.getenv "STAGEHOST" or "stagehost"

local COPY = [[
local stagehost = require "stagehost"
local source, message = stagehost.start(stagehost.source.lines { path = arg[1] or "-" })
if not source then
    error(message, 0)
end
local sink = assert(stagehost.start(stagehost.sink.lines { path = arg[2] or "-" }))
assert(sink:subscribe { to = source, max_demand = tonumber(arg[3]) })
]]

local PRINT = [[
local stagehost = require "stagehost"
print "before"
local source = stagehost.start(stagehost.source.list { "text", 5, { a = 1 }, true, stagehost.codec.json.null })
local sink = stagehost.start(stagehost.sink.print())
sink:subscribe { to = source }
sink:join()
print "after"
]]

local TWO = [[
local stagehost = require "stagehost"
for _, letter in ipairs { "a", "b" } do
    local lines = {}
    for i = 1, 60 do
        lines[i] = letter:rep(30000)
    end
    local source = stagehost.start(stagehost.source.list(lines))
    local sink = stagehost.start(stagehost.sink.lines { path = "-" })
    sink:subscribe { to = source, max_demand = 7 }
end
]]

describe("standard streams", function()
    local folder

    before_each(function()
        folder = files.new()
        folder:write("copy.lua", COPY)
        folder:write("print.lua", PRINT)
        folder:write("two.lua", TWO)
    end)

    after_each(function()
        folder:remove()
    end)

    -- Runs a shell command in which $S is the command and $D the folder: its output, its exit
    -- status, and what it said on standard error.
    local function shell(command)
        local script = ("S='timeout 20 %s -w 2'; D=%s\n( set -o pipefail\n%s\n) 2> $D/err; echo \"=$?\"\n")
            :format(stagehost, folder.path, command)
        local pipe = assert(io.popen("bash " .. folder:write("run.sh", script), "r"))
        local text = pipe:read "*a"
        pipe:close()
        local output, status = text:match "^(.*)=(%d+)\n$"
        return output, tonumber(status), folder:read "err"
    end

    local function assert_copied(expected, command)
        local output, status, err = shell(command)
        assert.equal("", err)
        assert.equal(expected, output)
        assert.equal(0, status)
    end

    it("may be pipes, with pauses", function()
        assert_copied("a\nbc\nd\n", "{ printf 'a\\nb'; sleep 0.1; printf 'c\\nd'; } | $S $D/copy.lua | cat")
    end)

    it("may be files, also in the middle", function()
        folder:write("in", "1\n2\n3\n")
        assert_copied("", "$S $D/copy.lua < $D/in > $D/out")
        assert.equal("1\n2\n3\n", folder:read "out")
        assert_copied("1\n", "{ read line; echo $line; $S $D/copy.lua >> $D/out; } < $D/in")
        assert.equal("1\n2\n3\n2\n3\n", folder:read "out")
    end)

    it("may be named pipes, also when the writer has gone already", function()
        assert_copied("1\n2\n", "mkfifo $D/pipe; (printf '1\\n2' > $D/pipe) & $S $D/copy.lua < $D/pipe; wait")
    end)

    it("may be empty", function()
        assert_copied("", "$S $D/copy.lua < /dev/null")
        assert_copied("", "true | $S $D/copy.lua")
    end)

    it("stay blocking for those who share them", function()
        local shared = "perl -MFcntl -e 'print STDERR fcntl(STDIN,F_GETFL,0) & O_NONBLOCK, "
            .. "fcntl(STDOUT,F_GETFL,0) & O_NONBLOCK'"
        local output, status, err = shell("echo 1 | { $S $D/copy.lua; " .. shared .. "; } | cat")
        assert.same({ "1\n", 0, "00" }, { output, status, err })
    end)

    it("slow down who writes, and lose nothing", function()
        local lines = {}
        for i = 1, 20000 do
            lines[i] = i .. (" x"):rep(50)
        end
        local text = table.concat(lines, "\n") .. "\n"
        folder:write("in", text)
        for _, max_demand in ipairs { 10, 1000 } do
            assert_copied("", ("$S $D/copy.lua $D/in - %d | { sleep 0.2; cat > $D/out; }"):format(max_demand))
            assert.equal(text, folder:read "out")
        end
    end)

    it("are shared by several sinks, line by line", function()
        local output = shell "$S $D/two.lua | { sleep 0.1; cat; }"
        local count = { a = 0, b = 0 }
        for line in output:gmatch "[^\n]+" do
            local letter = line:sub(1, 1)
            assert.equal(letter:rep(30000), line)
            count[letter] = count[letter] + 1
        end
        assert.same({ a = 60, b = 60 }, count)
    end)

    it("get what was printed in order", function()
        assert_copied('before\ntext\n5\n{"a":1}\ntrue\nnull\nafter\n', "$S $D/print.lua | cat")
    end)

    it("fail with an error and status 70 when the disk is full", function()
        folder:write("in", "1\n2\n3\n")
        local _, status, err = shell "$S $D/copy.lua < $D/in > /dev/full"
        assert.equal(70, status)
        assert.matches("cannot write standard output: no space left on device %(ENOSPC%); 3 of 3 events "
            .. "not written", err)
    end)

    it("fail when output is closed, but not when its reader has gone", function()
        folder:write("in", ("line\n"):rep(100000))
        local _, status, err = shell "$S $D/copy.lua < $D/in >&-"
        assert.equal(70, status)
        assert.matches("cannot write standard output: bad file descriptor %(EBADF%)", err)
        local output
        output, status, err = shell "$S $D/copy.lua < $D/in | head -n 1"
        assert.equal("line\n", output)
        assert.equal(0, status)
        assert.equal("", err)
    end)

    it("fail when input is closed or missing", function()
        local _, status, err = shell "$S $D/copy.lua <&-"
        assert.equal(70, status)
        assert.matches("cannot read standard input: bad file descriptor %(EBADF%)", err)
        _, status, err = shell "$S $D/copy.lua $D/missing"
        assert.equal(70, status)
        assert.matches("cannot read .*/missing: no such file or directory %(ENOENT%)", err)
    end)

    it("are drained on SIGTERM: what was read is written", function()
        local output, status = shell [[
{ seq 1 1000; sleep 2; } | { $S $D/copy.lua & pid=$!
    sleep 0.5; kill -TERM $(pgrep -P $pid); wait $pid; } ]]
        local lines = {}
        for i = 1, 1000 do
            lines[i] = i
        end
        assert.equal(0, status)
        assert.equal(table.concat(lines, "\n") .. "\n", output)
    end)

    it("show progress on a terminal only, and take it away", function()
        folder:write("slow.lua", [[
local stagehost = require "stagehost"
local source = stagehost.start(stagehost.source.lines { path = arg[1], chunk_size = 100 })
local sink = stagehost.start(stagehost.sink.each(function() stagehost.sleep(20) end))
sink:subscribe { to = source, max_demand = 2, min_demand = 1 }
]])
        folder:write("in", ("0123456789\n"):rep(90))
        local terminal = "script -qec 'TERM=xterm %s %s/slow.lua %s/in > /dev/null' /dev/null"
        local output = shell(terminal:format(stagehost, folder.path, folder.path))
        assert.matches("\r *%d+%%  %d+ B of 990 B  %d+ B/s  %d+ lines  0:0%d left", output)
        assert.matches("\r +\r$", output)
        assert.equal("", (shell(terminal:format(stagehost .. " -q", folder.path, folder.path))))
        local _, _, err = shell "$S $D/slow.lua $D/in"
        assert.equal("", err)
    end)
end)
