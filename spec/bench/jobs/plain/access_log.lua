-- SPDX-License-Identifier: MIT
--
-- The job of scripts/access_log.lua as a plain script, with the same report.
--   luajit access_log.lua FILE
local TOP = 10

-- client - user [time] "request" status bytes "referer" "agent"
local COMBINED = '^(%S+) %S+ .- %[[^%]]+%] "(.-)" (%d%d%d) (%S+) ".-" ".*"$'

local requests, sum, unparsable = 0, 0, 0
local classes, paths, clients = {}, {}, {}

for line in io.lines(arg[1]) do
    local client, request, status, bytes = line:match(COMBINED)
    if client then
        local path = request:match("^%S+ (%S+)") or request
        local class = status:sub(1, 1)
        requests = requests + 1
        sum = sum + (tonumber(bytes) or 0)
        classes[class] = (classes[class] or 0) + 1
        paths[path] = (paths[path] or 0) + 1
        clients[client] = (clients[client] or 0) + 1
    else
        unparsable = unparsable + 1
    end
end

local function print_top(title, counts)
    local names = {}
    for name in pairs(counts) do
        names[#names + 1] = name
    end
    table.sort(names, function(a, b)
        if counts[a] ~= counts[b] then
            return counts[a] > counts[b]
        end
        return a < b
    end)
    print("\ntop " .. title)
    for i = 1, math.min(TOP, #names) do
        print(("%9d  %s"):format(counts[names[i]], names[i]))
    end
end

print(("%-13s %d"):format("requests", requests))
print(("%-13s %.0f"):format("bytes", sum))
print(("%-13s %d"):format("unparsable", unparsable))
for class = 1, 9 do
    local n = classes[tostring(class)]
    if n then
        print(("%-13s %d"):format(("status %dxx"):format(class), n))
    end
end
print_top("paths", paths)
print_top("clients", clients)
