-- SPDX-License-Identifier: MIT

--- Reads that never wait: what they return is what the file has there, or nil.
local files = require "spec.support.files"
local read = require "stagehost.native.cached_read"
local uv = require "luv"

local TEXT = ("0123456789"):rep(1000)

describe("a cached read", function()
    local folder, fd

    setup(function()
        folder = files.new()
        fd = assert(uv.fs_open(folder:write("text", TEXT), "r", 0))
    end)

    teardown(function()
        uv.fs_close(fd)
        folder:remove()
    end)

    it("returns bytes of the file at the offset, or nothing", function()
        for _, offset in ipairs { 0, 7, 4096, #TEXT - 3 } do
            local chunk = read(fd, 100, offset)
            if chunk then -- a system may have nothing in memory, or can't tell
                assert.is_true(#chunk > 0 and #chunk <= 100)
                assert.equal(TEXT:sub(offset + 1, offset + #chunk), chunk)
            end
        end
    end)

    it("goes on from the position of the descriptor", function()
        local first = read(fd, 10, -1)
        local second = first and read(fd, 10, -1)
        if second then
            assert.equal(TEXT:sub(#first + 1, #first + #second), second)
        end
    end)

    it("returns nil at the end, and for what is no file to read", function()
        assert.is_nil(read(fd, 10, #TEXT))
        assert.is_nil(read(-1, 10, 0))
        local pipe = assert(uv.pipe())
        assert.is_nil(read(pipe.read, 10, -1)) -- it is empty, and read() would wait
        uv.fs_close(pipe.read)
        uv.fs_close(pipe.write)
    end)
end)
