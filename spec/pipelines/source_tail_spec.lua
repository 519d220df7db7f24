-- source.tail: what is appended comes out once, in order, whatever happens to the file.
local files = require "spec.support.files"
local stagehost = require "stagehost"

describe("source.tail", function()
    local folder, source, sink

    before_each(function()
        folder = files.new()
    end)

    after_each(function()
        if source:is_alive() then
            source:stop()
        end
        folder:remove()
    end)

    local function tail(options, subscription)
        options.path = options.path or folder:at "log"
        options.poll = options.poll or 20
        source = assert(stagehost.start(stagehost.source.tail(options)))
        sink = assert(stagehost.start(stagehost.sink.collect()))
        subscription = subscription or {}
        subscription.to = source
        assert(sink:subscribe(subscription))
        stagehost.sleep(30)
    end

    local function expect(lines)
        files.eventually(function()
            return sink:call "count" >= #lines
        end)
        stagehost.sleep(30)
        assert.same(lines, sink:call "events")
    end

    it("begins with what is appended after its start", function()
        folder:write("log", "old\nolder\n")
        tail {}
        expect {}
        folder:append("log", "new\n")
        expect { "new" }
        folder:append("log", "newer\nnewest\r\n")
        expect { "new", "newer", "newest" }
    end)

    it("begins with what is there if told to", function()
        folder:write("log", "old\n")
        tail { from = "start" }
        folder:append("log", "new\n")
        expect { "old", "new" }
    end)

    it("hears of changes without looking for them", function()
        folder:write("log", "")
        tail { poll = 3600000 }
        folder:append("log", "one\n")
        expect { "one" }
        folder:rename("log", "log.1")
        folder:write("log", "two\n")
        expect { "one", "two" }
    end)

    it("waits for the newline", function()
        folder:write("log", "")
        tail {}
        folder:append("log", "one\ntw")
        expect { "one" }
        folder:append("log", "o\n")
        expect { "one", "two" }
    end)

    it("emits the whole of a line that was being written when it came", function()
        folder:write("log", ("x"):rep(200000) .. "\nhal")
        tail {}
        folder:append("log", "f\n")
        expect { "half" }
    end)

    it("waits for a file that does not exist yet, and reads all of it", function()
        tail {}
        folder:write("log", "first\nsecond\n")
        expect { "first", "second" }
    end)

    it("reads a renamed file to its end, then the new one", function()
        folder:write("log", "")
        tail {}
        folder:append("log", "1\n")
        expect { "1" }
        folder:append("log", "2\n")
        folder:rename("log", "log.1")
        folder:append("log.1", "3\n")
        folder:write("log", "")
        stagehost.sleep(50)
        folder:append("log.1", "4\nno newline")
        folder:append("log", "5\n")
        expect { "1", "2", "3", "4", "no newline", "5" }
    end)

    it("loses nothing when it is rotated again and again while nobody asks", function()
        folder:write("log", "")
        tail({ from = "start" }, { max_demand = 1, cancel = "temporary" })
        source:stop()
        source = assert(stagehost.start(stagehost.source.tail {
            path = folder:at "log", from = "start", poll = 10 }))
        for i = 1, 5 do
            folder:append("log", ("%da\n%db\n"):format(i, i))
            stagehost.sleep(40)
            folder:rename("log", "log." .. i)
            folder:write("log", "")
            stagehost.sleep(40)
        end
        sink = assert(stagehost.start(stagehost.sink.collect()))
        assert(sink:subscribe { to = source, max_demand = 1 })
        expect { "1a", "1b", "2a", "2b", "3a", "3b", "4a", "4b", "5a", "5b" }
    end)

    it("reads a truncated file from its start", function()
        folder:write("log", "")
        tail {}
        folder:append("log", "before\nand a longer line\n")
        expect { "before", "and a longer line" }
        folder:write("log", "")
        stagehost.sleep(50)
        folder:append("log", "after\n")
        expect { "before", "and a longer line", "after" }
    end)

    it("reads a file from its start that was truncated and filled again, whatever its size", function()
        folder:write("log", "")
        tail {}
        local all = {}
        for _, lines in ipairs { { "first 1", "first 2" }, { "again 1", "again 2" }, { "third 1" },
            { "4", "5", "6", "7", "8", "9" }, { "x 1", "x 2" } } do
            folder:write("log", table.concat(lines, "\n") .. "\n")
            for _, line in ipairs(lines) do
                all[#all + 1] = line
            end
            expect(all)
        end
    end)

    it("ends a line that had no newline when its file was filled again", function()
        folder:write("log", "")
        tail {}
        folder:append("log", "one\nbegun")
        expect { "one" }
        folder:write("log", "two\n")
        expect { "one", "begun", "two" }
    end)

    it("reads on where a writer goes on that does not append, when its file was truncated", function()
        folder:write("log", "old\n")
        local fd = assert(stagehost.uv.fs_open(folder:at "log", "r+", 0))
        tail { from = "start" }
        expect { "old" }
        assert(stagehost.uv.fs_ftruncate(fd, 0))
        assert(stagehost.uv.fs_write(fd, "new\n", 4))
        expect { "old", "new" }
        assert(stagehost.uv.fs_close(fd))
    end)

    it("follows a symbolic link", function()
        folder:write("target", "")
        assert(stagehost.uv.fs_symlink(folder:at "target", folder:at "log"))
        tail { poll = 3600000 }
        folder:append("target", "one\n")
        expect { "one" }
    end)

    it("reads no more than is asked for", function()
        folder:write("log", ("line\n"):rep(100000))
        source = assert(stagehost.start(stagehost.source.tail { path = folder:at "log", from = "start" }))
        sink = assert(stagehost.start(stagehost.consumer {
            handle_subscribe = function(_, _, _, from)
                stagehost.ask(from, 10)
                return "manual"
            end,
            handle_events = function() end,
        }))
        assert(sink:subscribe { to = source })
        stagehost.sleep(50)
        assert.is_true(source:buffered() < 20000)
        source:kill()
        sink:kill()
    end)

    it("ends when it is stopped, and not before", function()
        folder:write("log", "x\n")
        tail { from = "start" }
        expect { "x" }
        assert(os.remove(folder:at "log"))
        stagehost.sleep(50)
        assert.is_true(source:is_alive())
        assert.is_true(source:stop())
    end)

    it("does not start on what is no file", function()
        source = assert(stagehost.start(stagehost.source.tail { path = folder:at "none" }))
        local other, message = stagehost.start(stagehost.source.tail { path = "/dev/null" })
        assert.is_nil(other)
        assert.equal("cannot read /dev/null: it is not a regular file", message)
    end)
end)
