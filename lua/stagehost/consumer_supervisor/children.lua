-- SPDX-License-Identifier: MIT

--- The list of the children of a consumer_supervisor, and their starts.
local core = require "stagehost.core"
local tables = require "stagehost.options.tables"

local M = {}

---@class stagehost.ConsumerSupervisor.Child
---@field number integer counts the children of a supervisor; a restarted one keeps it
---@field args any the arguments of init
---@field name? string
---@field from? any id of the subscription that its event came from; nil: started by hand
---@field stage? stagehost.Stage its current or last stage
---@field restarts integer
---@field reason? stagehost.Reason of its last end or failed start
---@field is_restarting? boolean it has ended and could not be started again yet
---@field waiting? stagehost.Call[] the callers that wait for its end
---@field timer? stagehost.Timer of its end

---@class stagehost.ConsumerSupervisor.Children
local Children = {}
Children.__index = Children

---@param definition stagehost.Definition of every child
---@param request table of a start, without the fields that differ
---@param settings table of the supervisor: args, child_name
function M.new(definition, request, settings)
    return setmetatable({
        definition = definition,
        request = request,
        settings = settings,
        by_number = {},
        by_stage = {}, -- by the id of the last stage
        by_name = {},
        last = 0,
        count = 0,
        restarting = 0,
    }, Children)
end

--- The arguments of a child's init: the event; with `args` in the template, these and then the event.
local function make_args(settings, event)
    local first = settings.args
    if not first then
        return event
    end
    local args = { unpack(first, 1, settings.n_args) }
    args[settings.n_args + 1] = event
    return args
end

-- A start raises an error for a bad name, and for an event that can't cross to another worker.
local function start(self, child)
    local request = tables.copy(self.request)
    request.name, request.args = child.name, child.args
    local started, message, reason = core.start(self.definition, request)
    if not started then
        return nil, message, reason
    end
    return request.stage
end

--- Starts the stage of a child, for the first time or again. Waits.
---@param child stagehost.ConsumerSupervisor.Child
---@return boolean started
---@return string? message
---@return any reason
function Children:start(child)
    local ok, stage, message, reason = pcall(start, self, child)
    if not ok then
        return false, tostring(stage), stage
    elseif not stage then
        return false, message, reason
    end
    if child.stage then
        self.by_stage[child.stage.id] = nil
        child.restarts = child.restarts + 1
    end
    self.by_stage[stage.id] = child
    child.stage = stage
    return true
end

local function name_of(self, event)
    local make = self.settings.child_name
    if not make then
        return nil
    end
    local name = make(event)
    if name ~= nil and (type(name) ~= "string" or name == "") then
        error("the name of a child must be a non-empty string", 0)
    end
    return name
end

--- Starts a new child. Waits.
---@param event any
---@param from any id of a subscription, or nil
---@return stagehost.ConsumerSupervisor.Child?
---@return string? message
---@return any reason "ignore" if its init returned stagehost.ignore
function Children:add(event, from)
    local named, name = pcall(name_of, self, event)
    if not named then
        return nil, tostring(name), name
    end
    local child = {
        number = self.last + 1,
        args = make_args(self.settings, event),
        name = name,
        from = from,
        restarts = 0,
    }
    self.last = child.number
    local started, message, reason = self:start(child)
    if not started then
        return nil, message, reason
    end
    self.by_number[child.number] = child
    if name then
        self.by_name[name] = child
    end
    self.count = self.count + 1
    return child
end

--- Removes a child that has ended for good.
---@param child stagehost.ConsumerSupervisor.Child
function Children:remove(child)
    self:set_restarting(child, false)
    self.by_number[child.number] = nil
    self.by_stage[child.stage.id] = nil
    if child.name then
        self.by_name[child.name] = nil
    end
    self.count = self.count - 1
end

---@param child stagehost.ConsumerSupervisor.Child
---@param is_restarting boolean
function Children:set_restarting(child, is_restarting)
    if (child.is_restarting or false) ~= is_restarting then
        child.is_restarting = is_restarting
        self.restarting = self.restarting + (is_restarting and 1 or -1)
    end
end

--- Finds the child with a number, handle, or name.
---@param key integer | stagehost.Stage | string
---@return stagehost.ConsumerSupervisor.Child?
function Children:find(key)
    if type(key) == "number" then
        return self.by_number[key]
    elseif type(key) == "string" then
        return self.by_name[key]
    end
    return self.by_stage[key.id]
end

--- Returns all children, in the order of their starts.
---@return stagehost.ConsumerSupervisor.Child[]
function Children:list()
    local list = {}
    for _, child in pairs(self.by_number) do
        list[#list + 1] = child
    end
    table.sort(list, function(a, b)
        return a.number < b.number
    end)
    return list
end

return M
