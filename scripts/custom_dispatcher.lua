#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- A dispatcher in Lua: of the consumers that have asked, the one with the highest priority gets the next event.
--
--   stagehost scripts/custom_dispatcher.lua
--   important: 1 2 3 4 5 6
--   other: 7 8 9 10
local stagehost = require "stagehost"

local Priority = {
    init = function(self) self.consumers = {} end,

    subscribe = function(self, sub, opts)
        if type(opts.priority) ~= "number" then
            return false, "a subscription here needs a priority"
        end
        table.insert(self.consumers, { sub = sub, priority = opts.priority, asked = 0 })
        table.sort(self.consumers, function(a, b) return a.priority > b.priority end)
    end,

    cancel = function(self, sub)
        for i, consumer in ipairs(self.consumers) do
            if consumer.sub == sub then
                table.remove(self.consumers, i)
                return
            end
        end
    end,

    ask = function(self, sub, n)
        for _, consumer in ipairs(self.consumers) do
            if consumer.sub == sub then
                consumer.asked = consumer.asked + n
            end
        end
    end,

    -- Returns how many events were given away; the host buffers the others.
    dispatch = function(self, events, send)
        local taken = 0
        for _, consumer in ipairs(self.consumers) do
            local portion = {}
            while #portion < consumer.asked and taken < #events do
                taken = taken + 1
                portion[#portion + 1] = events[taken]
            end
            if #portion > 0 then
                consumer.asked = consumer.asked - #portion
                send(consumer.sub, portion)
            end
        end
        return taken
    end,
}

local Manual = stagehost.consumer {
    init = function(self, args) self.args, self.seen = args, {} end,
    handle_subscribe = function(self, _, _, from)
        stagehost.ask(from, self.args.ask)
        return "manual"
    end,
    handle_events = function(self, events)
        for _, n in ipairs(events) do
            self.seen[#self.seen + 1] = n
        end
    end,
    handle_call = function(self) return self.seen end,
}

local source = assert(stagehost.start(stagehost.source.list { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 },
    { dispatcher = Priority, demand = "accumulate" }))
local other = assert(stagehost.start(Manual, { args = { ask = 4 } }))
local important = assert(stagehost.start(Manual, { args = { ask = 6 } }))
assert(other:subscribe { to = source, priority = 1, cancel = "temporary" })
assert(important:subscribe { to = source, priority = 2, cancel = "temporary" })
source:demand("forward")
source:join()

print("important: " .. table.concat(important:call("seen"), " "))
print("other: " .. table.concat(other:call("seen"), " "))
important:stop()
other:stop()
