-- SPDX-License-Identifier: MIT

--- The rooms of lua/stagehost: who may require whom. lua/README.md has them in the same order.
local files = require "spec.support.files"

local ROOMS = { "native", "options", "engine", "messages", "io", "source", "codec", "text", "sink", "streams",
    "functions", "supervisor", "consumer_supervisor", "broker", "pipeline", "test" }

local rank = {}
for i, room in ipairs(ROOMS) do
    rank[room] = i
end

local function read(path)
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    return text
end

local function rooms_of_readme()
    local rooms = {}
    for room in read("lua/README.md"):gmatch("\n| `([%w_]+)/` |") do
        rooms[#rooms + 1] = room
    end
    return rooms
end

--- The first words of the modules that a file requires: "stagehost.io.call" is of the room io.
local function required_rooms(path)
    local rooms = {}
    for name in read(path):gmatch('require%s*%(?%s*"stagehost%.([%w_]+)') do
        rooms[name] = true
    end
    return rooms
end

describe("the rooms of lua/stagehost", function()
    local paths = files.list("lua/stagehost", ".lua")

    it("are those of the floor plan", function()
        local known = {}
        for _, path in ipairs(paths) do
            local room = path:match("^([^/]+)/")
            assert.is_true(room == nil or rank[room] ~= nil, path)
            known[room or "face"] = true
        end
        for _, room in ipairs(ROOMS) do
            assert.is_true(known[room], room)
        end
        assert.same(ROOMS, rooms_of_readme())
    end)

    it("require themselves, the face, the C half, and rooms below them", function()
        for _, path in ipairs(paths) do
            local room = path:match("^([^/]+)/")
            for other in pairs(room and required_rooms("lua/stagehost/" .. path) or {}) do
                assert.is_true(other == "core" or rank[other] ~= nil and rank[other] <= rank[room],
                    path .. " requires " .. other)
            end
        end
    end)
end)
