-- SPDX-License-Identifier: MIT

--- Who waits for a callback of another stage is answered, whatever becomes of that callback: it
--- raises, returns what it must not, stops its stage, or is killed while it waits itself.
local hooks = require "stagehost.spec"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

before_each(function()
    hooks.on_log(function() end)
end)

after_each(function()
    stages.stop_all()
    hooks.on_log(nil)
end)

local function nothing() end

local Silent = stagehost.producer { handle_demand = nothing }

--- A stage that a callback tells that it has begun, and a function that waits for that.
local function new_gate()
    local gate = start(stagehost.process {
        init = function(self)
            self.is_open = false
        end,
        handle_cast = function(self)
            self.is_open = true
        end,
        handle_call = function(self)
            return self.is_open
        end,
    })
    return gate, function()
        while not gate:call() do
            stagehost.sleep(1)
        end
    end
end

--- What `subscribe` of another stage told whoever asked the consumer for it.
local function subscribe_told(handle_subscribe, opts, after)
    local producer = start(Silent)
    local consumer = start(stagehost.consumer {
        handle_events = nothing,
        handle_subscribe = handle_subscribe,
    }, opts)
    local told
    local waiting = start(stagehost.process {
        handle_cast = function()
            told = { consumer:subscribe { to = producer } }
        end,
    })
    waiting:cast "go"
    if after then
        after(consumer, producer)
    end
    consumer:join()
    waiting:stop()
    assert.is_table(told)
    assert.is_nil(told[1])
    assert.is_string(told[2])
    assert.is_true(producer:is_alive())
    return told[3], told[2]
end

-- Where the consumer is: here, or on another worker.
local places = { here = {} }
if stagehost.workers() > 1 then
    places["on another worker"] = { worker = 1 }
end

for place, opts in pairs(places) do
    describe("whoever subscribes a consumer " .. place .. " is told", function()
        it("that its handle_subscribe raised", function()
            local reason, message = subscribe_told(function()
                error "boom"
            end, opts)
            assert.is_true(stagehost.is_error(reason))
            assert.equal("handle_subscribe", reason.callback)
            assert.matches("boom$", message)
        end)

        it("that its handle_subscribe raised after it had waited", function()
            local reason = subscribe_told(function()
                require("stagehost").sleep(1)
                error "boom"
            end, opts)
            assert.matches("boom$", reason.message)
        end)

        it("that its handle_subscribe returned what it must not", function()
            local reason = subscribe_told(function()
                return "by hand"
            end, opts)
            assert.equal("bad_return_value", reason.name)
        end)

        it("that its handle_subscribe stopped it", function()
            assert.equal("enough", (subscribe_told(function()
                return require("stagehost").stop "enough"
            end, opts)))
            assert.equal("noproc", (subscribe_told(function()
                return require("stagehost").stop()
            end, opts)))
        end)

        it("that it was killed while its handle_subscribe waited", function()
            local gate, wait = new_gate()
            local reason = subscribe_told(function()
                gate:cast "begun"
                require("stagehost").sleep(1e6)
            end, opts, function(consumer)
                wait()
                consumer:kill()
            end)
            assert.equal("killed", reason)
        end)

        it("that it ended before their turn came", function()
            local producer = start(Silent)
            local gate, wait = new_gate()
            local consumer = start(stagehost.consumer {
                handle_events = nothing,
                handle_subscribe = function()
                    gate:cast "begun"
                    require("stagehost").sleep(1e6)
                end,
            }, opts)
            local reasons, waiting = {}, {}
            for i = 1, 3 do
                waiting[i] = start(stagehost.process {
                    handle_cast = function()
                        local _, _, reason = consumer:subscribe { to = producer }
                        reasons[i] = reason
                    end,
                })
                waiting[i]:cast "go"
                hooks.settle(1000)
            end
            wait()
            consumer:kill()
            for i = 1, 3 do
                waiting[i]:stop()
            end
            assert.equal("killed", reasons[1])
            assert.equal("noproc", reasons[2])
            assert.equal("noproc", reasons[3])
        end)
    end)

    describe("whoever calls a stage " .. place .. " is told", function()
        local function call_told(handle_call, after)
            local callee = start(stagehost.process { handle_call = handle_call }, opts)
            local told
            local caller = start(stagehost.process {
                handle_cast = function()
                    told = { callee:call("x", math.huge) }
                end,
            })
            caller:cast "go"
            if after then
                after(callee)
            end
            callee:join()
            caller:stop()
            return told[3]
        end

        it("that it was killed while its handle_call waited", function()
            local gate, wait = new_gate()
            assert.equal("killed", call_told(function()
                gate:cast "begun"
                require("stagehost").sleep(1e6)
            end, function(callee)
                wait()
                callee:kill()
            end))
        end)

        it("that it was killed before it answered", function()
            local gate, wait = new_gate()
            assert.equal("killed", call_told(function()
                gate:cast "begun"
                return require("stagehost").noreply
            end, function(callee)
                wait()
                callee:kill()
            end))
        end)

        it("that it stopped without an answer", function()
            assert.equal("enough", call_told(function()
                return require("stagehost").stop "enough"
            end))
        end)
    end)
end

describe("a consumer", function()
    it("is told when its producer is killed while its handle_subscribe waits", function()
        local producer = start(stagehost.producer {
            handle_subscribe = function()
                stagehost.sleep(1e6)
            end,
        })
        local told
        local consumer = start(stagehost.consumer {
            handle_events = nothing,
            handle_cancel = function(_, reason, _, how)
                told = { reason, how }
            end,
        })
        assert(consumer:subscribe { to = producer, cancel = "temporary" })
        hooks.settle(1000)
        producer:kill()
        hooks.settle(1000)
        assert.same({ "killed", "down" }, told)
        assert.is_true(consumer:is_alive())
    end)

    it("is told of its subscribe_to when its producer ends, though its own handle_subscribe waits", function()
        local producer = start(Silent)
        local order = {}
        local consumer = start(stagehost.consumer {
            handle_events = nothing,
            handle_subscribe = function()
                stagehost.sleep(5)
                order[#order + 1] = "subscribed"
            end,
            handle_cancel = function(_, reason)
                order[#order + 1] = reason
            end,
        })
        consumer:async_subscribe { to = producer }
        hooks.settle(1000)
        producer:kill()
        assert.equal("killed", consumer:join())
        assert.same({ "subscribed", "killed" }, order)
    end)
end)
