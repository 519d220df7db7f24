-- SPDX-License-Identifier: MIT

--- Runs a whole script in the host of the test: what it reads from standard input and what it prints are values.
local errors = require "stagehost.options.errors"
local definition = require "stagehost.options.definition"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local function is_standard(options)
    local path = options
    if type(options) == "table" then
        path = options.path or options[1]
    end
    if type(path) == "table" then
        return #path == 1 and path[1] == "-"
    end
    return path == "-"
end

local function add(out, ...)
    local parts = {}
    for i = 1, select("#", ...) do
        parts[i] = tostring((select(i, ...)))
    end
    out[#out + 1] = table.concat(parts, "\t")
end

local function printer(out)
    return stagehost.consumer {
        handle_events = function(_, events)
            for _, event in ipairs(events) do
                add(out, event)
            end
        end,
    }
end

-- The module `stagehost` as the script sees it: its standard streams are lists.
local function facade(given, out)
    local standard = {} -- definitions that would read standard input
    local function take_place(def, name)
        local substitute = name and given.stages and given.stages[name]
        if substitute == nil and standard[def] then
            substitute = given.stdin or {}
        end
        return substitute
    end
    local function over(module, fields)
        return setmetatable(fields, { __index = module })
    end
    return over(stagehost, {
        source = over(stagehost.source, {
            lines = function(options)
                local def = stagehost.source.lines(options)
                standard[def] = is_standard(options)
                return def
            end,
        }),
        sink = over(stagehost.sink, {
            print = function()
                return printer(out)
            end,
            lines = function(options)
                return is_standard(options) and printer(out) or stagehost.sink.lines(options)
            end,
        }),
        start = function(def, options)
            local substitute = take_place(def, options and options.name)
            if substitute then
                def = type(substitute) == "function" and substitute(def)
                    or pcall(definition.kind_of, substitute) and substitute
                    or stagehost.source.list(substitute)
            end
            return stagehost.start(def, options)
        end,
        pipeline = setmetatable({}, {
            __index = stagehost.pipeline,
            __call = function(_, options)
                local known = {}
                for _, stage in ipairs(type(options.stages) == "table" and options.stages or {}) do
                    known[stage.name] = take_place(stage.stage, stage.name)
                end
                return require "stagehost.test.pipeline".new(stagehost.pipeline(options), known)
            end,
        }),
    })
end

---@class stagehost.test.Script
---@field args? string[] its arg[1], arg[2] ...
---@field stdin? string[] the lines of its standard input
---@field stages? table<string, any> by name: what takes the place of a stage, as in test.pipeline

--- Runs a script, and returns the lines that it printed by `print`, `sink.print` or `sink.lines "-"`.
---@param path string relative to the current folder
---@param given? stagehost.test.Script
---@return string[] lines
function M.run(path, given)
    given = given or {}
    local chunk, problem = loadfile(path)
    if not chunk then
        errors.raise("invalid_argument", "test.script: %s", problem)
    end
    local out = {}
    local shown = facade(given, out)
    local env = setmetatable({
        arg = tables.copy(given.args or {}, { [0] = path }),
        print = function(...)
            add(out, ...)
        end,
        require = function(name)
            return name == "stagehost" and shown or require(name)
        end,
    }, { __index = _G })
    env._G = env
    setfenv(chunk, env)(unpack(given.args or {}))
    return out
end

return M
