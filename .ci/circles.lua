-- SPDX-License-Identifier: MIT
--
-- Who calls whom, read from the objects of a release build: what the includes promise is held against
-- the calls. nm tells for each file of a layer which names it defines and which it needs; a function that
-- a header has inline counts for the file that includes it.
--
--   luajit .ci/circles.lua BUILD LAYER:ROOM,ROOM... ...          rooms from the bottom up
--
-- A call that goes up, into a room above the caller's, is written down: its prototype is in the above.h
-- of the lowest room that calls it (public functions, which need none, count too). With these calls
-- taken out, files that call one another in a ring are a circle, and all of it is in one room.
local json = require "cjson"

-- The most that a layer may have of each; a lower number is a better one. No number: only printed.
local limits = {
    host = { circle = 8, upward = 29 },
    bindings = { circle = 6 },
}

local function read(path)
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    return text
end

--- The object of every source of the layer that is part of the library or the command.
local function find_objects(build, layer)
    local objects, seen = {}, {}
    for _, command in ipairs(json.decode(read(build .. "/compile_commands.json"))) do
        local object = command.output or command.command:match "%-o (%S+)"
        local target, room, name = object:match("^CMakeFiles/([%w-]+)%.dir/" .. layer .. "/([%w_]+)/([%w_]+)%.c%.o$")
        local is_part = target == "command" or target == "stagehost" or (target or ""):match "^stagehost%-%l+$"
        local path = room and room .. "/" .. name
        if is_part and not seen[path] then
            seen[path] = true
            objects[#objects + 1] = { room = room, path = path, object = build .. "/" .. object }
        end
    end
    return objects
end

--- Fills in what a file defines and needs.
local function read_names(file)
    file.defines, file.needs = {}, {}
    local pipe = assert(io.popen(("nm '%s'"):format(file.object)))
    for line in pipe:lines() do
        local kind, name = line:match "(%a) (%S+)$"
        if kind == "U" then
            file.needs[#file.needs + 1] = name
        elseif kind:match "[BCDGRTVW]" then
            file.defines[#file.defines + 1] = name
        end
    end
    assert(pipe:close(), "nm failed")
end

--- All calls between files: { from =, to =, name = }.
local function find_calls(files)
    local owners, calls = {}, {}
    for _, file in ipairs(files) do
        read_names(file)
        for _, name in ipairs(file.defines) do
            owners[name] = file
        end
    end
    for _, file in ipairs(files) do
        for _, name in ipairs(file.needs) do
            if owners[name] then
                calls[#calls + 1] = { from = file, to = owners[name], name = name }
            end
        end
    end
    return calls
end

--- The largest set of files of which each reaches each other by calls (Tarjan): a sorted list of paths.
local function find_circle(files, calls)
    local callees, index, low, on_stack, stack, count, largest = {}, {}, {}, {}, {}, 0, {}
    for _, file in ipairs(files) do
        callees[file] = {}
    end
    for _, call in ipairs(calls) do
        table.insert(callees[call.from], call.to)
    end
    local function visit(file)
        count = count + 1
        index[file], low[file] = count, count
        stack[#stack + 1], on_stack[file] = file, true
        for _, callee in ipairs(callees[file]) do
            if not index[callee] then
                visit(callee)
            end
            if on_stack[callee] then
                low[file] = math.min(low[file], low[callee])
            end
        end
        if low[file] < index[file] then
            return
        end
        local circle = {}
        repeat
            local member = table.remove(stack)
            on_stack[member] = false
            circle[#circle + 1] = member.path
        until member == file
        if #circle > #largest then
            largest = circle
        end
    end
    for _, file in ipairs(files) do
        if not index[file] then
            visit(file)
        end
    end
    table.sort(largest)
    return largest
end

--- Splits calls into those that stay or go down, and those that go up, by name.
local function split_calls(calls, ranks)
    local down, up, names = {}, {}, {}
    for _, call in ipairs(calls) do
        local name = call.name
        if ranks[call.to.room] <= ranks[call.from.room] then
            down[#down + 1] = call
        else
            if not up[name] then
                up[name] = { to = call.to, lowest = call.from.room, from = {} }
                names[#names + 1] = name
            end
            table.insert(up[name].from, call.from.path)
            if ranks[call.from.room] < ranks[up[name].lowest] then
                up[name].lowest = call.from.room
            end
        end
    end
    table.sort(names, function(a, b)
        return up[a].to.path .. a < up[b].to.path .. b
    end)
    return down, up, names
end

--- The functions that ROOM/above.h declares; none without such a file.
local function read_above(layer, room)
    local file = io.open(("%s/%s/above.h"):format(layer, room))
    local declared = {}
    if file then
        local text = file:read("*a"):gsub("/%*.-%*/", ""):gsub("#[^\n]*", "")
        file:close()
        for name in text:gmatch "[%s*]([%w_]+)%([^;{]*%)%s*;" do
            declared[name] = true
        end
    end
    return declared
end

--- Holds every above.h of the layer, if it has any, to the calls that go up; complains about each difference.
local function check_above(layer, rooms, up, names, complain)
    local declared, has_any = {}, false
    for _, room in ipairs(rooms) do
        declared[room] = read_above(layer, room)
        has_any = has_any or next(declared[room]) ~= nil
        for name in pairs(declared[room]) do
            if not up[name] or up[name].lowest ~= room then
                complain("%s/%s/above.h declares %s, which no file of this room calls, or one below it does",
                    layer, room, name)
            end
        end
    end
    for _, name in ipairs(has_any and names or {}) do
        local call = up[name]
        local is_public = not name:find "__" and not name:find "^shl_"
        if not is_public then
            local header = ("%s/above.h"):format(call.lowest)
            local source = read(("%s/%s.c"):format(layer, call.to.path))
            if not declared[call.lowest][name] then
                complain("%s/%s has no prototype of %s, which %s calls", layer, header, name, call.from[1])
            elseif not source:find('#include "' .. header .. '"', 1, true) then
                complain("%s/%s.c does not include %s, which declares its %s", layer, call.to.path, header, name)
            end
        end
    end
end

local function measure(build, layer, rooms)
    local problems, ranks = 0, {}
    local function complain(format, ...)
        problems = problems + 1
        print(format:format(...))
    end
    for rank, room in ipairs(rooms) do
        ranks[room] = rank
    end
    local files = find_objects(build, layer)
    for _, file in ipairs(files) do
        assert(ranks[file.room], file.path .. " is in no room that was named")
    end
    local calls = find_calls(files)
    local down, up, names = split_calls(calls, ranks)
    local circle, limit = find_circle(files, down), limits[layer]
    if #circle > limit.circle then
        complain("%s: %d files call one another in a circle, %d are the limit: %s", layer, #circle, limit.circle,
            table.concat(circle, " "))
    end
    if limit.upward and #names > limit.upward then
        complain("%s: %d functions are called upwards, %d are the limit", layer, #names, limit.upward)
        for _, name in ipairs(names) do
            print(("    %s in %s, by %s"):format(name, up[name].to.path, table.concat(up[name].from, " ")))
        end
    end
    check_above(layer, rooms, up, names, complain)
    local most = limit.upward and " of " .. limit.upward or ""
    print(("%s: %d files, %d calls between them"):format(layer, #files, #calls))
    print(("%s: %d%s functions are called upwards; the largest circle has %d of %d files, %d with these calls"):format(
        layer, #names, most, #circle, limit.circle, #find_circle(files, calls)))
    return problems
end

local build, problems = arg[1], 0
for i = 2, #arg do
    local layer, list = arg[i]:match "^(%w+):(.*)$"
    local rooms = {}
    for room in list:gmatch "[^,]+" do
        rooms[#rooms + 1] = room
    end
    if #rooms == 0 then
        print(layer .. ": no rooms yet")
    else
        problems = problems + measure(build, layer, rooms)
    end
end
os.exit(problems == 0)
