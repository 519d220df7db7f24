-- SPDX-License-Identifier: MIT

--- How much a consumer_supervisor may ask of its producers: one account for each of them, and slots for
--- children that they share. Pure: it is told what happens, and returns what to ask.
---
--- Every event that a producer may send at once (its max_demand) is in one of three states:
---
---     free  --ask-->  promised  --event-->  running  --child ended-->  free
---
--- Free events are asked for when enough of them have gathered. "finished": as many as min_demand, the
--- rule of GenStage; "low_water": so many that no more than min_demand are promised or running.
---
--- With max_children no more is promised than slots are free: promised + running children of all
--- producers, started by hand, or restarting <= max_children.
local names = require "stagehost.options.names"

local M = {}

local DEFAULT_MAX_DEMAND = names.subscription.max_demand.default

---@class stagehost.ChildAccount
---@field id any names the subscription
---@field max integer
---@field enough integer how many of these have to be free before they are asked for
---@field free integer
---@field promised integer asked for, not arrived
---@field running integer children of its events
---@field excess integer how many of these were not asked for
---@field is_held boolean nothing is asked for yet

---@class stagehost.ChildDemand
---@field max_children number math.huge: no limit
---@field refill "finished" | "low_water"
---@field accounts stagehost.ChildAccount[] in the order of their subscriptions
---@field running integer children of all accounts and of none
---@field promised integer of all accounts
local Demand = {}
Demand.__index = Demand

---@param max_children? integer
---@param refill? "finished" | "low_water"
---@return stagehost.ChildDemand
function M.new(max_children, refill)
    return setmetatable({
        max_children = max_children or math.huge,
        refill = refill or "finished",
        accounts = {},
        by_id = {},
        running = 0,
        promised = 0,
    }, Demand)
end

--- Slots that are neither taken nor promised.
---@return number
function Demand:room()
    return self.max_children - self.running - self.promised
end

--- Opens an account for a new subscription. Never more than max_children are asked of one producer, so the
--- bounds are cut to that; otherwise min_demand could never be reached.
---@param id any
---@param max_demand? integer default 1000
---@param min_demand? integer default half of what may be asked
---@param is_held? boolean asks for nothing before it is released
function Demand:open(id, max_demand, min_demand, is_held)
    local max = math.min(max_demand or DEFAULT_MAX_DEMAND, self.max_children)
    local min = math.min(min_demand or math.floor(max / 2), max - 1)
    local account = {
        id = id,
        max = max,
        enough = self.refill == "low_water" and max - min or math.max(min, 1),
        free = max,
        promised = 0,
        running = 0,
        excess = 0,
        is_held = is_held or false,
    }
    self.by_id[id] = account
    table.insert(self.accounts, account)
end

--- Lets an account that was held ask from now on.
---@param id any
function Demand:release(id)
    local account = self.by_id[id]
    if account then
        account.is_held = false
    end
end

--- Closes the account of a subscription that has ended: its promised slots are free for others, its children run on.
---@param id any
function Demand:close(id)
    local account = self.by_id[id]
    if not account then
        return
    end
    self.by_id[id] = nil
    self.promised = self.promised - account.promised
    for i, other in ipairs(self.accounts) do
        if other == account then
            table.remove(self.accounts, i)
            break
        end
    end
end

--- Counts events that have arrived, each of which is now a child.
---@param id any
---@param n integer
---@return integer excess how many of them were not asked for
function Demand:arrived(id, n)
    local account = self.by_id[id]
    self.running = self.running + n
    if not account then
        return n
    end
    local expected = math.min(n, account.promised)
    account.promised = account.promised - expected
    self.promised = self.promised - expected
    account.running = account.running + n
    account.excess = account.excess + n - expected
    return n - expected
end

--- Takes a slot that is not promised, for a child that is started by hand.
---@return boolean taken
function Demand:take()
    if self:room() < 1 then
        return false
    end
    self.running = self.running + 1
    return true
end

--- Frees the slot of a child that has ended for good, or was never started.
---@param id any of the subscription that its event came from; nil: it was started by hand
function Demand:ended(id)
    self.running = self.running - 1
    local account = id ~= nil and self.by_id[id]
    if not account then
        return
    end
    account.running = account.running - 1
    if account.excess > 0 then
        account.excess = account.excess - 1
    else
        account.free = account.free + 1
    end
end

local function promise(self, account, n, asks)
    account.free = account.free - n
    account.promised = account.promised + n
    self.promised = self.promised + n
    local ask = asks[account]
    if ask then
        ask.n = ask.n + n
        return
    end
    ask = { id = account.id, n = n }
    asks[account] = ask
    asks[#asks + 1] = ask
end

-- The accounts with enough free events; those that hold the least come first.
local function list_ready(self)
    local ready = {}
    for _, account in ipairs(self.accounts) do
        if account.free >= account.enough and not account.is_held then
            ready[#ready + 1] = account
        end
    end
    if #ready > 1 and self.max_children < math.huge then
        local order = {}
        for i, account in ipairs(ready) do
            order[account] = i
        end
        table.sort(ready, function(a, b)
            local held_a, held_b = a.max - a.free, b.max - b.free
            if held_a ~= held_b then
                return held_a < held_b
            end
            return order[a] < order[b]
        end)
    end
    return ready
end

--- Returns what to ask now; it counts as promised. While slots are scarce, the producers that wait for slots get
--- equal shares of the free ones.
---@return { id: any, n: integer }[]
function Demand:asks()
    local asks, ready = {}, list_ready(self)
    while #ready > 0 and self:room() > 0 do
        local share = math.max(1, math.floor(self:room() / #ready))
        local still = {}
        for _, account in ipairs(ready) do
            local n = math.min(account.free, share, self:room())
            if n > 0 then
                promise(self, account, n, asks)
            end
            if account.free > 0 then
                still[#still + 1] = account
            end
        end
        ready = still
    end
    return asks
end

return M
