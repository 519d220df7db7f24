-- A file that grows, is cut and is filled again: what is read of it, and how little it costs to see
-- that nothing has changed. Nothing here reads at the same time, so every step is certain.
local files = require "spec.support.files"
local growing = require "stagehost.io.growing"
local uv = require "luv"

describe("a growing file", function()
    local folder, file

    before_each(function()
        folder = files.new()
    end)

    after_each(function()
        if file then
            file:close()
        end
        folder:remove()
    end)

    local function open(text)
        folder:write("log", text)
        file = assert(growing.open(folder:at "log"))
    end

    --- All there is to read now; "<cut>" stands where the file was found to be cut.
    local function read()
        local parts = {}
        repeat
            local chunk, message = file:read(1000000)
            assert.is_nil(message)
            parts[#parts + 1] = chunk or "<cut>"
        until chunk == ""
        return table.concat(parts)
    end

    local function refill(text)
        folder:write("log", text)
        return read()
    end

    local function numbered(first, last)
        local lines = {}
        for i = first, last do
            lines[#lines + 1] = ("line %d\n"):format(i)
        end
        return table.concat(lines)
    end

    it("is read as it grows", function()
        open "one\n"
        assert.equal("one\n", read())
        folder:append("log", "two")
        assert.equal("two", read())
        folder:append("log", " three\n" .. numbered(1, 500))
        assert.equal(" three\n" .. numbered(1, 500), read())
        assert.equal("", read())
        folder:append("log", numbered(501, 520))
        local parts = {}
        repeat
            parts[#parts + 1] = assert(file:read(7))
        until parts[#parts] == ""
        assert.equal(numbered(501, 520), table.concat(parts))
    end)

    it("is read from its start when it was cut", function()
        open "one\ntwo\n"
        read()
        assert.equal("<cut>", refill "")
        assert.equal("three\n", refill "three\n")
        assert.equal("<cut>four\n", refill "four\n")
    end)

    it("is read from its start when it was filled again to any size", function()
        open(numbered(1, 300))
        assert.equal(numbered(1, 300), read())
        assert.equal("<cut>" .. numbered(301, 320), refill(numbered(301, 320)))
        assert.equal("<cut>" .. numbered(321, 340), refill(numbered(321, 340))) -- the same size
        assert.equal("<cut>" .. numbered(341, 900), refill(numbered(341, 900)))
        assert.equal("<cut>" .. numbered(100, 120), refill(numbered(100, 120)))
    end)

    it("is read from its start when it was filled again before it was read to its end", function()
        open(numbered(1, 300))
        assert.equal(numbered(1, 300):sub(1, 100), file:read(100))
        assert.equal("<cut>" .. numbered(301, 900), refill(numbered(301, 900)))
    end)

    it("is read on when it was cut where reading has come to", function()
        open "one\ntwo\n"
        assert.equal("one\n", file:read(4))
        assert.equal("", refill "one\n")
        folder:append("log", "three\n")
        assert.equal("three\n", read())
    end)

    it("is read from its start when it was cut one byte before that", function()
        open "one\ntwo\n"
        assert.equal("one\n", file:read(4))
        assert.equal("<cut>one", refill "one")
    end)

    it("has nothing to compare at its start", function()
        open ""
        assert.equal("", read())
        assert.equal("one\n", refill "one\n")
        assert.equal("<cut>two\n", refill "two\n")
    end)

    it("is compared by the part of a line, too", function()
        open "begun"
        assert.equal("begun", read())
        assert.equal("<cut>other\n", refill "other\n")
    end)

    it("is read on when it only has other times", function()
        open(numbered(1, 50))
        read()
        assert(uv.fs_utime(folder:at "log", 1000000000, 1000000000))
        assert.equal("", read())
    end)

    it("is compared with what was before the place where its last line begins", function()
        for _, text in ipairs { "one\nhalf", "\nhalf", "\n" .. ("x"):rep(200000), numbered(1, 20000) .. "half" } do
            open(text)
            assert.is_true(file:seek_last_line())
            local last = text:match "[^\n]*$"
            assert.equal(last, read())
            assert.equal(#text, file.position)
            assert.equal("<cut>" .. ("y"):rep(#text + 1), refill(("y"):rep(#text + 1)))
            file:close()
        end
        open(numbered(1, 100))
        assert.is_true(file:seek_last_line())
        assert.equal("<cut>" .. numbered(101, 300), refill(numbered(101, 300)))
    end)

    describe("whose writer does not append", function()
        local fd

        before_each(function()
            open(numbered(1, 100))
            fd = assert(uv.fs_open(folder:at "log", "r+", 0))
        end)

        after_each(function()
            assert(uv.fs_close(fd))
        end)

        local size = #numbered(1, 100)

        local function cut_and_write(text, offset)
            assert(uv.fs_ftruncate(fd, 0))
            assert(uv.fs_write(fd, text, offset))
        end

        it("is read on behind the hole that a cut leaves", function()
            read()
            cut_and_write("after\n", size)
            assert.equal("<cut>after\n", read())
            assert.equal(size + 6, file.position)
            assert(uv.fs_write(fd, "more\n", size + 6))
            assert.equal("more\n", read())
            cut_and_write("again\n", size + 11)
            assert.equal("<cut>again\n", read())
        end)

        it("is read on behind the hole when there was more to read", function()
            assert.equal(100, #file:read(100))
            cut_and_write("after\n", size)
            assert.equal("<cut>after\n", read())
        end)

        it("is read behind the hole that was there before", function()
            cut_and_write("after\n", size)
            assert.equal("after\n", read())
        end)

        it("is read on behind the hole that comes after the cut was seen", function()
            read()
            assert(uv.fs_ftruncate(fd, 0))
            assert.equal("<cut>", read())
            assert(uv.fs_write(fd, "after\n", size))
            assert.equal("after\n", read())
        end)
    end)

    describe("that does not change", function()
        local now, fs_read, n_reads

        before_each(function()
            now, n_reads = uv.now(), 0
            stub(uv, "now", function()
                return now
            end)
            fs_read = uv.fs_read
            uv.fs_read = function(...)
                n_reads = n_reads + 1
                return fs_read(...)
            end
        end)

        after_each(function()
            uv.fs_read = fs_read
            uv.now:revert()
        end)

        local function reads(text)
            n_reads = 0
            assert.equal(text, read())
            return n_reads
        end

        local function settle()
            reads ""
            now = now + 2000
            assert.equal(1, reads "")
            assert.equal(0, reads "")
        end

        it("is not read once its times can be trusted", function()
            open(numbered(1, 100))
            reads(numbered(1, 100))
            assert.equal(1, reads "")
            now = now + 1999
            assert.equal(1, reads "")
            now = now + 1
            assert.equal(1, reads "")
            assert.equal(0, reads "")
            now = now + 3600000
            assert.equal(0, reads "")
        end)

        it("is read once for a change, and then a last time", function()
            open(numbered(1, 100))
            reads(numbered(1, 100))
            settle()
            assert(uv.fs_utime(folder:at "log", 1000000000, 1000000000))
            assert.equal(1, reads "")
            settle()
        end)

        it("is read when it was filled again with the same times", function()
            open(numbered(101, 200))
            reads(numbered(101, 200))
            local look, fs_fstat = assert(uv.fs_stat(folder:at "log")), uv.fs_fstat
            uv.fs_fstat = function(_, callback)
                callback(nil, look)
                return true
            end
            reads ""
            folder:write("log", numbered(201, 300))
            local text = read()
            uv.fs_fstat = fs_fstat
            assert.equal("<cut>" .. numbered(201, 300), text)
        end)
    end)

    it("tells of an error", function()
        open "one\n"
        file:close()
        file = { close = function() end }
        local other = assert(growing.open(folder:at "log"))
        uv.fs_close(other.descriptor:take())
        local chunk, message = other:read(10)
        assert.is_nil(chunk)
        assert.matches("EBADF", message)
    end)

    it("is a regular file", function()
        file = nil
        local other, message = growing.open "/dev/null"
        assert.is_nil(other)
        assert.equal("it is not a regular file", message)
        local _, _, code = growing.open(folder:at "none")
        assert.equal("ENOENT", code)
    end)
end)
