--- Compares an output with its expectation, and prints both so that the difference can be seen.
local words = require "words"

local M = {}

local max_lines = 12

local function is_array(value)
    return value[1] ~= nil or next(value) == nil
end

local function sorted_keys(value)
    local keys = {}
    for key in pairs(value) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return keys
end

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function encode_string(text)
    return '"' .. text:gsub('[%c"\\]', function(c)
        return escapes[c] or string.format("\\u%04x", c:byte())
    end) .. '"'
end

-- Members that are objects even when they are empty.
local objects = { logs = true, starts = true, stages = true }

--- JSON with sorted keys and exact integers. An empty table is an array unless `object`.
---@param value any
---@param object boolean?
---@return string
function M.encode(value, object)
    if value == words.null or value == nil then
        return "null"
    elseif type(value) == "number" then
        return string.format("%.17g", value)
    elseif type(value) == "string" then
        return encode_string(value)
    elseif type(value) ~= "table" then
        return tostring(value)
    end
    local parts = {}
    if is_array(value) and not object then
        for i, item in ipairs(value) do
            parts[i] = M.encode(item)
        end
        return "[" .. table.concat(parts, ",") .. "]"
    end
    for i, key in ipairs(sorted_keys(value)) do
        parts[i] = encode_string(key) .. ":" .. M.encode(value[key], objects[key])
    end
    return "{" .. table.concat(parts, ",") .. "}"
end

--- JSON of an output: a stage that shows nothing is still an object.
---@param output table
---@return string
function M.encode_output(output)
    local stages = {}
    for i, name in ipairs(sorted_keys(output.stages)) do
        stages[i] = encode_string(name) .. ":" .. M.encode(output.stages[name], true)
    end
    local parts = {}
    for _, key in ipairs { "logs", "name", "results", "starts" } do
        if output[key] ~= nil then
            parts[#parts + 1] = encode_string(key) .. ":" .. M.encode(output[key], objects[key])
        end
    end
    return "{" .. table.concat(parts, ",") .. ',"stages":{' .. table.concat(stages, ",") .. "}}"
end

--- Equal as parsed JSON; an empty array equals an empty object.
local function equal(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then
        return a == b
    end
    for key, value in pairs(a) do
        if not equal(value, b[key]) then
            return false
        end
    end
    for key in pairs(b) do
        if a[key] == nil then
            return false
        end
    end
    return true
end

local function shorten(value)
    local text = value == nil and "nothing" or M.encode(value)
    if #text > 200 then
        return text:sub(1, 200) .. "..."
    end
    return text
end

local function add(lines, path, expected, got)
    local expected_text, got_text = shorten(expected), shorten(got)
    lines[#lines + 1] = string.format("%s: expected %s, got %s", path, expected_text, got_text)
end

-- Lists of lists (traces) are shown entry by entry; anything smaller as a whole.
local function is_trace(value)
    return type(value) == "table" and type(value[1]) == "table" and value[1][1] ~= nil
end

local function walk_list(lines, path, expected, got)
    for i = 1, math.max(#expected, #got) do
        if not equal(expected[i], got[i]) then
            add(lines, string.format("%s[%d]", path, i - 1), expected[i], got[i])
        end
    end
end

local function walk(lines, path, expected, got)
    if equal(expected, got) then
        return
    elseif type(expected) ~= "table" or type(got) ~= "table" then
        add(lines, path, expected, got)
    elseif path:find("results$") or is_trace(expected) or is_trace(got) then
        walk_list(lines, path, expected, got)
    elseif is_array(expected) and is_array(got) then
        add(lines, path, expected, got)
    else
        local both = {}
        for _, side in ipairs { expected, got } do
            for key in pairs(side) do
                both[key] = true
            end
        end
        for _, key in ipairs(sorted_keys(both)) do
            walk(lines, path == "" and tostring(key) or path .. "." .. key, expected[key], got[key])
        end
    end
end

-- The format leaves two things open: whether the message by which a finite producer ends itself is
-- recorded, and what a probe notes of a reply. They are left out on both sides.
local function is_open(entry)
    return entry[1] == "info" and entry[2] == "stop_normal"
end

local function without_open(entries)
    local out = {}
    for _, entry in ipairs(entries) do
        if not is_open(entry) then
            out[#out + 1] = entry[1] == "got_reply" and { "got_reply" } or entry
        end
    end
    return out
end

local function comparable(stages)
    local out = {}
    for name, stage in pairs(stages) do
        out[name] = {}
        for key, value in pairs(stage) do
            local is_list = key == "trace" or key == "no_events"
            out[name][key] = is_list and without_open(value) or value
        end
    end
    return out
end

--- The differences as lines of text; none: they are equal.
---@param expected table
---@param got table
---@return string[]
function M.diff(expected, got)
    local lines = {}
    for _, part in ipairs { "starts", "results", "logs" } do
        walk(lines, part, expected[part] or {}, got[part] or {})
    end
    walk(lines, "stages", comparable(expected.stages), comparable(got.stages))
    local more = #lines - max_lines
    for i = #lines, max_lines + 1, -1 do
        lines[i] = nil
    end
    if more > 0 then
        lines[#lines + 1] = string.format("... and %d more", more)
    end
    return lines
end

return M
