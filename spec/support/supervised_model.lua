-- SPDX-License-Identifier: MIT

--- A random pipeline below stagehost.supervisor, whose stages are killed and fail at random moments, as
--- spec/host/engine_model_test.c and ack_model_test.c do it with supervisors of their own. Prints what went wrong,
--- or how many events were emitted and handled; the command then reports the events that it knows to be lost.
---
---     stagehost -w 2 spec/support/supervised_model.lua engine | ack SEED
local stagehost = require "stagehost"

local mode, seed = arg[1], tonumber(arg[2])
math.randomseed(seed) -- the moments are not repeatable, the choices are
local random = math.random

local has_acks = mode == "ack"
local N_EVENTS, MAX_DEMAND = random(50, 400), random(1, 64)
local N_PRODUCERS, N_MIDDLES, N_CONSUMERS = random(2), math.max(0, random(-1, 2)), random(4)
local MAX_DELIVER = has_acks and (random(3) == 1 and random(3) or 100000) or nil
local STRATEGY = ({ "one_for_one", "rest_for_one", "one_for_all" })[random(3)]
local WAITS, FAILS, KILLS = random(0, 60), random(0, 1) * random(30), random(5, 30)
-- The results of a middle stage are acknowledged when the stage has emitted them, and are lost with it.
local KILLS_MIDDLES = N_MIDDLES > 0 and (not has_acks or random(2) == 1)

local Numbers = stagehost.producer {
    init = function(self, index)
        self.at, self.index, self.last = 0, index, N_EVENTS
    end,
    handle_demand = function(self, demand)
        local events = {}
        while #events < demand and self.at < self.last do
            self.at = self.at + 1
            events[#events + 1] = self.index * 1000 + self.at
        end
        return self.at == self.last and stagehost.stop("normal", events) or events
    end,
}

-- Counts how often every event was given, and handled.
local Log = stagehost.process {
    init = function(self)
        self.given, self.handled, self.n, self.problems = {}, {}, 0, {}
    end,
    handle_cast = function(self, message)
        local list = self[message.what]
        for _, event in ipairs(message.events) do
            list[event] = (list[event] or 0) + 1
            if message.what == "handled" and list[event] == 1 then
                self.n = self.n + 1
            elseif message.what == "handled" then
                table.insert(self.problems, "handled twice: " .. event)
            elseif self.handled[event] then
                table.insert(self.problems, "given after it was handled: " .. event)
            elseif message.delivery and list[event] > message.delivery then
                table.insert(self.problems, ("%d was given %d times, it says %d"):format(event, list[event],
                    message.delivery))
            end
        end
    end,
    handle_call = function(self)
        return { n = self.n, given = self.given, handled = self.handled, problems = self.problems }
    end,
}

local function take(self, events, from)
    local settings = self.settings
    if self.log then
        local delivery = settings.counts_deliveries and from:deliveries() or nil
        self.log:cast { what = "given", events = events, delivery = delivery }
    end
    if math.random(100) <= settings.waits then
        stagehost.sleep(math.random(0, 1))
    end
    if math.random(1000) <= settings.fails then
        error "failed on purpose"
    end
    if self.log then
        self.log:cast { what = "handled", events = events }
    end
end

local callbacks = {}

-- Subscribes the stage to the stages above that are running, and those below to the stage.
function callbacks.init(self, args)
    self.settings, self.log = args.settings, args.log
    local function subscription(to)
        local max = math.random(args.settings.max_demand)
        return { to = to, ack = args.settings.max_deliver and true or nil, max_deliver = args.settings.max_deliver,
            max_demand = max, min_demand = math.random(0, max - 1), cancel = "temporary" }
    end
    local above = {}
    for _, name in ipairs(args.above) do
        local producer = stagehost.whereis(name)
        above[#above + 1] = producer and subscription(producer)
    end
    for _, name in ipairs(args.below) do
        local consumer = stagehost.whereis(name)
        if consumer then
            consumer:async_subscribe(subscription(self.stage))
        end
    end
    return { subscribe_to = above }
end

function callbacks.handle_info()
    error "crashed on purpose"
end

local Consumer = stagehost.consumer {
    init = callbacks.init, handle_info = callbacks.handle_info, handle_events = take,
}
local Middle = stagehost.producer_consumer {
    init = callbacks.init,
    handle_info = callbacks.handle_info,
    handle_events = function(self, events, from)
        take(self, events, from)
        return events
    end,
}

local log = assert(stagehost.start(Log))
local producers, names = {}, { producer = {}, middle = {}, consumer = {} }
for i = 1, N_PRODUCERS do
    names.producer[i] = "producer" .. i
end
for i = 1, N_MIDDLES do
    names.middle[i] = "middle" .. i
end
for i = 1, N_CONSUMERS do
    names.consumer[i] = "consumer" .. i
end

local children = {}
local function add_child(name, start, above, below, is_killed)
    local settings = {
        waits = WAITS, fails = is_killed and FAILS or 0, max_demand = MAX_DEMAND, max_deliver = MAX_DELIVER,
        counts_deliveries = has_acks and not KILLS_MIDDLES,
    }
    local args = { settings = settings, above = above, below = below, log = start == Consumer and log or nil }
    table.insert(children, {
        id = name, start = start, restart = "permanent",
        options = { name = name, args = args, worker = random(0, stagehost.workers() - 1) },
    })
end
for i, name in ipairs(names.producer) do
    producers[i] = assert(stagehost.start(Numbers, {
        name = name, args = i, await_consumers = true, buffer_size = "infinity", demand = "accumulate",
        worker = random(0, stagehost.workers() - 1),
    }))
end
for _, name in ipairs(names.middle) do
    add_child(name, Middle, names.producer, names.consumer, KILLS_MIDDLES)
end
for _, name in ipairs(names.consumer) do
    add_child(name, Consumer, N_MIDDLES > 0 and names.middle or names.producer, {}, true)
end
-- Other stages may end a middle stage only where its events may be lost.
local strategy = (KILLS_MIDDLES or N_MIDDLES == 0) and STRATEGY or "one_for_one"
local supervisor = assert(stagehost.start(stagehost.supervisor {
    strategy = strategy, max_restarts = 100000, max_seconds = 3600, children = children,
}))
for _, producer in ipairs(producers) do
    producer:demand "forward"
end

local victims = {}
for _, name in ipairs(names.consumer) do
    victims[#victims + 1] = name
end
for _, name in ipairs(KILLS_MIDDLES and names.middle or {}) do
    victims[#victims + 1] = name
end
local function is_any_alive()
    for _, producer in ipairs(producers) do
        if producer:is_alive() then
            return true
        end
    end
end
while KILLS > 0 and is_any_alive() do
    KILLS = KILLS - 1
    stagehost.sleep(random(0, 2))
    local victim = stagehost.whereis(victims[random(#victims)])
    if victim and random(2) == 1 then
        victim:kill()
    elseif victim then
        victim:send "crash"
    end
end
for _, producer in ipairs(producers) do
    producer:join()
end
-- Events that have reached the stages below the producers are handled before these end.
for _, name in ipairs(names.middle) do
    local middle = stagehost.whereis(name)
    if middle then
        middle:stop()
    end
end
supervisor:stop()

local result = log:call("result", math.huge)
local emitted = N_PRODUCERS * N_EVENTS
for i = 1, N_PRODUCERS do
    for n = 1, MAX_DELIVER and not KILLS_MIDDLES and N_EVENTS or 0 do
        local event = i * 1000 + n
        if not result.handled[event] and (result.given[event] or 0) < MAX_DELIVER then
            table.insert(result.problems, ("%d was given %d times and not handled"):format(event,
                result.given[event] or 0))
        end
    end
end
log:stop()
print(result.problems[1] or "ok", emitted, result.n)
print(("%s seed %d: %d producers, %d middles%s, %d consumers, %s, max_deliver %s"):format(mode, seed, N_PRODUCERS,
    N_MIDDLES, KILLS_MIDDLES and " (killed)" or "", N_CONSUMERS, strategy, tostring(MAX_DELIVER)))
