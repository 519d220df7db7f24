--- Stages of a scenario: turns their descriptions into definitions that record every callback.
local functions = require "functions"
local options = require "options"
local probe = require "probe"
local stagehost = require "stagehost"
local supervisors = require "supervisors"
local words = require "words"

local M = {}

-- Messages of the runner itself are tables with one of these keys; all others belong to the scenario.
--   { emit = events, early = bool }  { push = events }  { stop = reason }  { bad = true }
--   { ask = subscription, n = n }    { postponed = batch }

-- The error of a stage that should crash.
local function crash()
    error("crash")
end

-- Callbacks that all kinds have. `trace` is the record, `desc` the description.
local function common(trace, desc)
    local name = desc.name
    local callbacks = {}

    function callbacks.init(self)
        self.desc = desc
        self.reason = words.parse(desc.reason)
        self.next = desc.start or 0
        self.turn, self.owed, self.queue = 0, 0, {}
        if desc.init == "ignore" then
            return stagehost.ignore
        elseif desc.init == "stop" then
            return stagehost.stop("oops")
        elseif desc.init == "bad" then
            return "nonsense"
        end
    end

    function callbacks.handle_subscribe(_, kind, opts, from)
        trace:record(name, "subscribed", kind, trace:subscription(from))
        if kind == "producer" then
            return opts.opts.mode
        end
        return opts.opts.producer_mode
    end

    function callbacks.handle_cancel(_, reason, from, how)
        trace:record(name, "cancelled", trace:subscription(from), how, words.reason(reason))
        return desc.on_cancel_emit
    end

    function callbacks.handle_call(self, request, from)
        if request.stop then
            return stagehost.stop(request.stop, nil, "ok")
        elseif request.bad then
            return "ok", 42
        elseif request.ask then
            stagehost.ask(request.ask, request.n)
            return "ok"
        elseif request.push then
            for _, event in ipairs(request.push) do
                table.insert(self.queue, event)
            end
            return "ok", functions.serve_pending(self)
        elseif request.early then
            from:reply("ok")
            return stagehost.noreply, request.emit
        end
        return "ok", request.emit
    end

    function callbacks.handle_cast(_, message)
        if message.ask then
            stagehost.ask(message.ask, message.n)
            return nil
        end
        return message.emit
    end

    function callbacks.handle_info(_, message)
        if type(message) == "table" and message.emit then
            return message.emit
        elseif type(message) == "table" and message.postponed then
            trace:record(name, "postponed", message.postponed)
            return message.postponed
        end
        trace:record(name, "info", message)
        if message == "stop_normal" then
            return stagehost.stop("normal")
        end
        return desc.on_info_emit
    end

    if desc.type ~= "consumer" then
        function callbacks.format_discarded(_, count)
            trace:record(name, "discarded", count)
            return desc.log_discarded ~= false
        end
    end

    function callbacks.terminate(_, reason)
        trace:ended(name, reason)
        trace:record(name, "terminate", words.reason(reason))
    end

    return callbacks
end

-- handle_events of a consumer or producer_consumer.
local function events_handler(trace, desc)
    local name, kind = desc.name, desc.kind
    local transform = desc.type == "producer_consumer" and functions.transform[desc.f or "identity"]

    return function(self, events, from)
        local batch = trace.copy(events)
        trace:record(name, "events", batch, desc.log_from and trace:subscription(from) or nil)
        if kind == "crash" then
            crash()
        elseif kind == "bad_return" then
            return 42
        elseif kind == "postpone" then
            self.stage:send({ postponed = batch })
            return {}
        elseif kind == "emit" then
            return batch
        end
        if desc.stop_on ~= nil then
            for _, event in ipairs(batch) do
                if event == desc.stop_on then
                    return stagehost.stop(self.reason)
                end
            end
        end
        return transform and transform(batch, desc) or nil
    end
end

local definitions = {}

function definitions.producer(trace, desc)
    local callbacks = common(trace, desc)
    local answer = functions.demand[desc.kind]
    function callbacks.handle_demand(self, n)
        trace:record(desc.name, "demand", n)
        return answer(self, n)
    end
    return stagehost.producer(callbacks)
end

function definitions.producer_consumer(trace, desc)
    local callbacks = common(trace, desc)
    callbacks.handle_events = events_handler(trace, desc)
    return stagehost.producer_consumer(callbacks)
end

function definitions.consumer(trace, desc)
    local callbacks = common(trace, desc)
    callbacks.handle_events = events_handler(trace, desc)
    return stagehost.consumer(callbacks)
end

-- Yields the events of an enumerable one by one, nil at its end.
local function iterator(desc)
    local i = 0
    if desc.range then
        i = desc.range[1] - 1
        return function()
            i = i + 1
            return i <= desc.range[2] and i or nil
        end
    end
    local list = desc.list or desc.cycle
    return function()
        i = i + 1
        return list[desc.cycle and (i - 1) % #list + 1 or i]
    end
end

--- Draws exactly as many events as are demanded. It notices the end when fewer are left, and ends after
-- all buffered events. Records nothing.
function definitions.enumerable(trace, desc)
    local callbacks = {}

    function callbacks.init(self)
        self.draw = iterator(desc)
        self.subscriptions = 0
    end

    function callbacks.handle_demand(self, n)
        local out = {}
        while #out < n and not self.ended do
            local event = self.draw()
            self.ended = event == nil
            out[#out + 1] = event
        end
        if self.ended and not self.ending then
            self.ending = true
            self.stage:async_info("ended")
        end
        return out
    end

    function callbacks.handle_info()
        return stagehost.stop("normal")
    end

    function callbacks.handle_subscribe(self, _, _, from)
        trace:subscription(from)
        self.subscriptions = self.subscriptions + 1
    end

    function callbacks.handle_cancel(self)
        self.subscriptions = self.subscriptions - 1
        if desc.on_cancel == "stop" and self.subscriptions == 0 then
            return stagehost.stop("normal")
        end
    end

    function callbacks.terminate(_, reason)
        trace:ended(desc.name, reason)
    end

    return stagehost.producer(callbacks)
end

--- Starts a stage of the scenario.
---@return any "ok", "ignore" or ["error", reason]
function M.start(world, desc)
    if desc.type == "probe" then
        return probe.start(world, desc)
    end
    local definition = desc.type == "supervisor" and supervisors.definition(world, desc)
        or definitions[desc.type](world.trace, desc)
    local opts = options.start(world, desc)
    local started, handle, message, reason = pcall(stagehost.start, definition, opts)
    if not started then
        return words.refusal(handle)
    elseif handle then
        world:add(desc.name, handle)
        return "ok"
    elseif reason == "ignore" then
        return "ignore"
    end
    return { "error", words.reason(reason or message) }
end

return M
