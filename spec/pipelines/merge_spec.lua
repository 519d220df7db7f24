-- SPDX-License-Identifier: MIT

--- stagehost.merge, end to end.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

--- Emits what it is cast; ends when it is cast "end", fails when it is cast "fail".
local Source = stagehost.producer {
    handle_cast = function(_, events)
        if events == "end" then
            return stagehost.stop("normal")
        elseif events == "fail" then
            error("source failed")
        end
        return events
    end,
}

--- Keeps what it gets; tells that when it is so many, or at its end.
local Sink = stagehost.consumer {
    init = function(self) self.events = {} end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.events, event)
        end
        if self.asker and #self.events >= self.wanted then
            self.asker:reply(self.events)
            self.asker = nil
        end
    end,
    handle_call = function(self, n, from)
        if n == "end" or #self.events < n then
            self.asker, self.wanted = from, n == "end" and math.huge or n
            return stagehost.noreply
        end
        return self.events
    end,
    terminate = function(self)
        if self.asker then
            self.asker:reply(self.events)
        end
    end,
}

--- A merge of n new sources, and a sink.
local function merge_of(n, options, cancel)
    local sources, list = {}, {}
    for i = 1, n do
        sources[i] = start(Source)
        list[i] = { to = sources[i], cancel = cancel }
    end
    options = options or {}
    options.subscribe_to = list
    local merge = start(stagehost.merge(options))
    local sink = start(Sink)
    assert(sink:subscribe { to = merge })
    return merge, sources, sink
end

local function smaller(a, b)
    return a < b
end

describe("merge", function()
    it("emits what comes as it comes, and ends with the last producer", function()
        for _, cancel in ipairs { "permanent", "transient", "temporary" } do
            local merge, sources, sink = merge_of(2, nil, cancel)
            sources[1]:cast { 5, 6 }
            sink:call(2)
            sources[2]:cast { 1 }
            assert.same({ 5, 6, 1 }, sink:call(3))
            sources[1]:cast "end"
            sources[1]:join()
            sources[2]:cast { 2 }
            assert.same({ 5, 6, 1, 2 }, sink:call(4))
            sources[2]:cast "end"
            assert.equal("normal", merge:join())
        end
    end)

    it("merges sorted streams", function()
        local merge, sources, sink = merge_of(3, { by = smaller })
        sources[1]:cast { 1, 4, 7 }
        sources[2]:cast { 2, 3, 9 }
        sources[1]:cast "end"
        sources[3]:cast { 5 } -- now each side has a head
        assert.same({ 1, 2, 3, 4, 5 }, sink:call(5))
        sources[3]:cast { 8 }
        assert.same({ 1, 2, 3, 4, 5, 7, 8 }, sink:call(7))
        sources[3]:cast "end"
        assert.same({ 1, 2, 3, 4, 5, 7, 8, 9 }, sink:call(8))
        sources[2]:cast "end"
        assert.equal("normal", merge:join())
    end)

    it("sorts by a field or a key; equals in order of subscription", function()
        for _, options in ipairs { { by = "t" }, { key = function(event) return event.t end } } do
            local _, sources, sink = merge_of(2, options)
            sources[2]:cast { { t = 1, s = 2 }, { t = 2, s = 2 } }
            sources[1]:cast { { t = 1, s = 1 }, { t = 2, s = 1 }, { t = 3, s = 1 } }
            assert.same({ { t = 1, s = 1 }, { t = 1, s = 2 }, { t = 2, s = 1 }, { t = 2, s = 2 } }, sink:call(4))
        end
    end)

    it("crashes with a producer as its cancel mode says; what it kept is unfinished", function()
        local merge, sources = merge_of(2, { by = smaller })
        sources[2]:cast { 1, 2 }
        for _ = 1, 1000 do
            if merge:stats().events_in == 2 then
                break
            end
            stagehost.sleep(1)
        end
        sources[1]:cast "fail"
        assert.matches("source failed", tostring(merge:join()))
        assert.equal(2, merge:stats().unfinished)
        merge, sources = merge_of(2, nil, "transient")
        sources[1]:cast "fail"
        assert.matches("source failed", tostring(merge:join()))
    end)

    it("fails when the comparison does", function()
        local merge, sources = merge_of(2, { by = smaller })
        sources[1]:cast { 1 }
        sources[2]:cast { "x" }
        assert.matches("attempt to compare", tostring(merge:join()))
    end)

    it("gives the same on any worker, by any demand", function()
        local worker = stagehost.workers() - 1
        for seed = 1, 20 do
            math.randomseed(seed)
            local subscriptions, all = {}, {}
            for s = 1, math.random(1, 5) do
                local list = {}
                for i = 1, math.random(0, 300) do
                    list[i] = math.random(1, 1000)
                    all[#all + 1] = list[i]
                end
                table.sort(list)
                local max = math.random(1, 40)
                local source = start(stagehost.source.list(list), {
                    worker = s % 2 == 0 and worker or 0, demand = "accumulate",
                })
                subscriptions[s] = { to = source, max_demand = max, min_demand = math.random(0, max - 1) }
            end
            local is_sorted = seed % 4 > 0
            local merge = start(stagehost.merge { subscribe_to = subscriptions, by = is_sorted and smaller or nil },
                { worker = seed % 2 == 0 and worker or 0 })
            local sink = start(Sink, { subscribe_to = { { to = merge, max_demand = math.random(1, 50) } } })
            for _, subscription in ipairs(subscriptions) do
                subscription.to:demand("forward")
            end
            local got = sink:call("end", 20000) or {}
            if not is_sorted then
                table.sort(got)
            end
            table.sort(all)
            assert.same(all, got)
            assert.equal("normal", merge:join())
        end
    end)

    it("refuses options it does not know", function()
        assert.error_matches(function() stagehost.merge { buy = 2 } end, 'unknown option "buy" of merge')
        assert.error_matches(function() stagehost.merge { by = 2 } end, "must be a function or the name of a field")
        assert.error_matches(function() stagehost.merge { by = "t", key = tostring } end, "not both")
        assert.error_matches(function() stagehost.merge { sides = 2 } end, "for sorted merging")
    end)
end)
