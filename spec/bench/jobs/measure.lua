-- SPDX-License-Identifier: MIT
--
-- Runs programs in turns, checks what they print, and keeps their figures.
local outputs = require "spec.bench.jobs.outputs"

local M = {}

-- Seconds; a program that takes longer hangs.
local TIME_LIMIT = 300

local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
end

--- Runs shell commands at the same time, with their outputs in files.
---@return { out: string[], seconds: number, cpu: number }
local function run(folder, lines)
    local out, parts = {}, {}
    for i, line in ipairs(lines) do
        out[i] = ("%s/out.%d"):format(folder, i)
        parts[i] = ("timeout %d %s >'%s' & pids+=($!)"):format(TIME_LIMIT, line, out[i])
    end
    local script = ("TIMEFORMAT='%%R %%U %%S'\ntime {\npids=()\n%s\nfor pid in \"${pids[@]}\"; do wait \"$pid\" || "
        .. "failed=yes; done\n} 2>'%s/err'\n[ -z \"${failed-}\" ]\n"):format(table.concat(parts, "\n"), folder)
    local file = assert(io.open(folder .. "/line", "w"))
    file:write(script)
    file:close()
    local status = os.execute(("bash '%s/line' 2>'%s/times'"):format(folder, folder))
    if status ~= 0 then
        error(("bench: %s failed:\n%s"):format(table.concat(lines, " & "), read(folder .. "/err")), 0)
    end
    local real, user, system = read(folder .. "/times"):match "([%d.]+) ([%d.]+) ([%d.]+)%s*$"
    for i, path in ipairs(out) do
        out[i] = read(path)
    end
    return { out = out, seconds = tonumber(real), cpu = tonumber(user) + tonumber(system) }
end

-- What a program's "N SECONDS" becomes.
local converted = {
    ns = function(n, seconds) return seconds / n * 1e9 end,
    us = function(n, seconds) return seconds / n * 1e6 end,
    ["M/s"] = function(n, seconds) return n / seconds / 1e6 end,
}

--- The figure of a run, and what has to be equal for all programs of the group: their outputs, or the number of
--- what they have handled.
local function judge(group, program, result)
    if group.unit == "s" then
        return result.seconds, result.out
    end
    local n, seconds = result.out[1]:match "^(%d+)%s+([%d.e-]+)%s*$"
    if not n then
        error(("bench: %s printed: %s"):format(program.line, result.out[1]), 0)
    end
    return converted[group.unit](tonumber(n), tonumber(seconds)), { n }
end

local function length(texts)
    local n = 0
    for _, text in ipairs(texts) do
        n = n + #text
    end
    return n
end

--- Compares an output with that of the group's first program. To compare records takes as long as to make them: in
--- later rounds they need to have as many bytes as in the first.
local function difference(group, program, expected, given)
    if group.unit == "M/s" then
        return nil
    elseif group.is_json and #program.values > 0 then
        return length(given) ~= program.bytes
            and ("%d bytes, and %d in the first round"):format(length(given), program.bytes) or nil
    end
    program.bytes = length(given)
    if not program.halves then
        return outputs.compare(expected[1], given[1], group.is_json)
    elseif group.is_json then
        return outputs.compare(expected[1], given[1] .. given[2], true)
    end
    return outputs.compare_sum(expected[1], given)
end

--- Runs one program once. The first one of a group says what the others have to print.
local function take(folder, group, program)
    local result = run(folder, program.halves or { program.line })
    local value, output = judge(group, program, result)
    if program == group.programs[1] then
        group.expected = group.expected or output
    end
    local told = difference(group, program, group.expected, output)
    if told then
        error(("bench: %s: %s has another output than %s: %s"):format(group.name, program.name,
            group.programs[1].name, told), 0)
    end
    program.values[#program.values + 1] = value
    program.cpu[#program.cpu + 1] = group.unit == "s" and result.cpu or nil
end

--- Runs all programs of all groups, as many rounds as asked. A round goes through the groups and through the
--- programs of each in order, so that a busy minute affects neighbours alike.
---@param folder string for outputs
---@param groups bench.Group[]
---@param rounds integer
function M.all(folder, groups, rounds)
    for _, group in ipairs(groups) do
        for _, program in ipairs(group.programs) do
            program.values, program.cpu = {}, {}
        end
    end
    for round = 1, rounds do
        io.stderr:write(("bench: round %d of %d\n"):format(round, rounds))
        for _, group in ipairs(groups) do
            for _, program in ipairs(group.programs) do
                if not program.skipped then
                    take(folder, group, program)
                end
            end
        end
    end
end

---@param list number[]
function M.median(list)
    local copy = { unpack(list) }
    table.sort(copy)
    return copy[math.floor((#copy + 1) / 2)]
end

--- The median of the quotients of each round: it stays as it is when a round is slow as a whole.
---@param program bench.Program
---@param base bench.Program
---@param what? "values"|"cpu" the figures, or the CPU seconds
---@return number? ratio nil: there are no such figures
function M.ratio(program, base, what)
    local quotients, bases = {}, base[what or "values"]
    for i, value in ipairs(program[what or "values"]) do
        quotients[i] = value / bases[i]
    end
    return M.median(quotients)
end

return M
