-- SPDX-License-Identifier: MIT

--- Work in parallel whose results come in the order of the input. Events travel in blocks,
--- `{ seq =, run =, list = events }`: a dealer numbers them and deals them to lanes in turn, one stage works on each
--- lane, and an orderer emits the results by number. The numbers of a lane grow by the number of lanes: so the
--- orderer knows which lane the next block comes from. It also knows when that block will never come, because its
--- stage has crashed or has skipped it: then the lane goes on with a later one. Internal.
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"
local uv = require "luv"

local M = {}

-- The dealer --------------------------------------------------------------------------------------

local dealer = { title = "deal" }

function dealer.init(self)
    self.seq, self.run = 0, tonumber(uv.hrtime())
end

local function slice(events, first, last)
    if first == 1 and last == #events then
        return events
    end
    local list = {}
    for i = first, last do
        list[i - first + 1] = events[i]
    end
    return list
end

--- Cuts events into as many blocks as there are lanes, or as there are events; into one if they are a batch.
function dealer.handle_events(self, events)
    local n = #events
    local n_blocks = math.min(n, self.is_whole and 1 or self.n_lanes)
    local blocks, first = {}, 1
    for k = 1, n_blocks do
        local last = math.floor(n * k / n_blocks)
        blocks[k] = { seq = self.seq, run = self.run, list = slice(events, first, last) }
        self.seq, first = self.seq + 1, last + 1
    end
    return blocks
end

local function lane_of(n_lanes)
    return function(block)
        return block.seq % n_lanes
    end
end

---@param n_lanes integer
---@param is_whole boolean the events of a call stay together
---@return stagehost.Definition
function M.dealer(n_lanes, is_whole)
    return stagehost.producer_consumer(tables.copy(dealer, {
        n_lanes = n_lanes,
        is_whole = is_whole,
        dispatcher = { "partition", partitions = n_lanes, hash = lane_of(n_lanes) },
    }))
end

--- The names of a dealer's partitions.
---@param n_lanes integer
---@return string[]
function M.partitions(n_lanes)
    local names = {}
    for i = 1, n_lanes do
        names[i] = tostring(i - 1)
    end
    return names
end

-- A lane ------------------------------------------------------------------------------------------

--- Calls handle_events for each block. A stop that it returns is passed on with the block so far.
local function handle_blocks(self, user, blocks, from)
    local results = {}
    for i = 1, #blocks do
        local block = blocks[i]
        local list = user(self, block.list, from)
        if type(list) == "userdata" then
            list = list:table()
        elseif list ~= nil and (type(list) ~= "table" or getmetatable(list) ~= nil) then
            errors.raise("bad_return_value", "handle_events of a stage with ordered = true must return a list of "
                .. "events or nil: it can't end the stage")
        end
        results[i] = { seq = block.seq, run = block.run, list = list or {} }
    end
    return results
end

--- Makes a definition whose handle_events works on blocks, of one that works on events.
---@param def stagehost.Definition
---@return stagehost.Definition
function M.wrap(def)
    local user = def.handle_events
    local wrapped = tables.copy(def, {
        handle_events = function(self, blocks, from)
            return handle_blocks(self, user, blocks, from)
        end,
    })
    return setmetatable(wrapped, getmetatable(def))
end

-- The orderer -------------------------------------------------------------------------------------

local orderer = { title = "order" }

function orderer.init(self)
    self.next, self.run, self.open = 0, nil, {}
    self.lanes, self.n_held = {}, 0
    for i = 0, self.n_lanes - 1 do
        self.lanes[i] = { first = 1, last = 0 }
    end
end

function orderer.handle_subscribe(self, kind, opts, from)
    if kind == "consumer" then
        return "automatic"
    end
    self.open[from] = true
    stagehost.ask(from, opts.max_demand)
    return "manual"
end

local function push(self, block, from)
    if type(block) ~= "table" or not block.seq or not block.list then
        errors.raise("invalid_event", "a stage with ordered = true has emitted an event that is no result of its "
            .. "handle_events: it has no place in the order")
    end
    local lane = self.lanes[block.seq % self.n_lanes]
    lane.last = lane.last + 1
    lane[lane.last] = { block = block, from = from }
    self.n_held = self.n_held + #block.list
    self.run = self.run or block.run
end

local function head_of(lane)
    local held = lane[lane.first]
    return held and held.block
end

--- Takes the first block of a lane, and asks its stage for another one.
local function take(self, lane, events)
    local held = lane[lane.first]
    lane[lane.first], lane.first = nil, lane.first + 1
    local list, n = held.block.list, #events
    for i = 1, #list do
        events[n + i] = list[i]
    end
    self.n_held = self.n_held - #list
    if self.open[held.from] then
        stagehost.ask(held.from, 1)
    end
end

local function is_before(a, b)
    return a.run < b.run or a.run == b.run and a.seq < b.seq
end

--- The first of all blocks that are here.
local function first_of_all(self)
    local first
    for i = 0, self.n_lanes - 1 do
        local head = head_of(self.lanes[i])
        if head and (not first or is_before(head, first)) then
            first = head
        end
    end
    return first
end

--- Whether a block is the one that is expected, or has come too late for its place.
local function is_due(self, block)
    return block.run < self.run or block.run == self.run and block.seq <= self.next
end

--- Emits blocks as long as the next one is here, or will never come.
local function advance(self)
    local events, n_missing = {}, 0
    while true do
        local lane = self.lanes[self.next % self.n_lanes]
        local head = head_of(lane)
        if not head then
            return events
        elseif is_due(self, head) then
            self.next = head.run == self.run and math.max(self.next, head.seq + 1) or self.next
            take(self, lane, events)
            n_missing = 0
        elseif n_missing < self.n_lanes then
            self.next, n_missing = self.next + 1, n_missing + 1
        else -- no lane has the block that is expected of it: the dealer or this stage was started again
            local first = first_of_all(self)
            self.run, self.next, n_missing = first.run, first.seq, 0
        end
    end
end

function orderer.handle_events(self, blocks, from)
    for i = 1, #blocks do
        push(self, blocks[i], from)
    end
    return advance(self)
end

function orderer.handle_cancel(self, _, from)
    self.open[from] = nil
end

function orderer.handle_end(self)
    local events, first = {}, first_of_all(self)
    while first do
        take(self, self.lanes[first.seq % self.n_lanes], events)
        first = first_of_all(self)
    end
    return events
end

function orderer.terminate(self)
    core.leave_behind(self.n_held)
end

---@param n_lanes integer
---@return stagehost.Definition
function M.orderer(n_lanes)
    return stagehost.producer_consumer(tables.copy(orderer, { n_lanes = n_lanes }))
end

return M
