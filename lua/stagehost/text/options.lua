-- SPDX-License-Identifier: MIT

--- The options of the operators on text: checked, with their short forms written out.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"

local M = {}

local MOST_FIELDS, MOST_PARTITIONS = 2 ^ 32 - 1, 2 ^ 31 - 1

local function separator(value)
    if type(value) ~= "string" or value == "" then
        return nil, "must be a string of at least one byte"
    end
    return value
end

local field = checks.integer(1, MOST_FIELDS)
local boolean = checks.typed "boolean"

local schemas = {
    lines = { keep_cr = boolean },
    split = { separator = separator, field = field },
    field = { separator = separator, field = field },
    select = { contains = checks.typed "string", pattern = checks.typed "string", invert = boolean },
    hash = { partitions = checks.integer(1, MOST_PARTITIONS), separator = separator, field = field },
    count_by = { separator = separator, field = field },
}

--- The option that a single value of a type stands for.
local short_forms = {
    split = { string = "separator" },
    field = { number = "field" },
    select = { string = "contains" },
    hash = { number = "partitions" },
    count_by = { number = "field" },
}

local required = { field = "field", hash = "partitions" }

local function write_out(operator, given, what)
    local kind, forms = type(given), short_forms[operator] or {}
    if forms[kind] then
        return { [forms[kind]] = given }
    elseif given ~= nil and kind ~= "table" then
        errors.raise("invalid_option", "%s: the options must be a table%s, got %s", what,
            next(forms) and (" or a %s (%s)"):format(next(forms)) or "", checks.show(given))
    end
    return given or {}
end

--- Returns the options of an operator as a new table.
---@param operator string a name of `stagehost.text`
---@param given any
---@param prefix string "text", "text.stages"
---@return table
function M.check(operator, given, prefix)
    local what = prefix .. "." .. operator
    local checked = checks.apply(schemas[operator], write_out(operator, given, what), what)
    local name = required[operator]
    if name and not checked[name] then
        errors.raise("invalid_option", '%s: the option "%s" is required', what, name)
    elseif operator == "select" and (checked.contains == nil) == (checked.pattern == nil) then
        errors.raise("invalid_option", '%s: one of the options "contains" and "pattern" is required, and not both',
            what)
    elseif checked.separator and not checked.field and (operator == "count_by" or operator == "hash") then
        errors.raise("invalid_option", '%s: the option "separator" is read with "field" only', what)
    end
    return checked
end

return M
