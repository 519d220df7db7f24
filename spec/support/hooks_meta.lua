---@meta stagehost.spec
--
-- The test hooks of the engine: a C module for specs only (hooks.c), never installed. It reaches
-- behind the public API: it holds a stage's mailbox, says when nothing moves any more, and sends
-- single protocol messages. Everything here works on the calling stage's own worker.

---@class stagehost.spec
local hooks = {}

--- One protocol message, as `inject` sends it and a probe receives it.
---
--- | kind              | direction            | fields                                    |
--- |-------------------|----------------------|-------------------------------------------|
--- | `subscribe`       | consumer to producer | `sub`, `opts`, `current`?, `reason`?      |
--- | `ask`             | consumer to producer | `sub`, `n`                                |
--- | `cancel`          | consumer to producer | `sub`, `reason`                           |
--- | `events`          | producer to consumer | `sub`, `events`                           |
--- | `cancel_consumer` | producer to consumer | `sub`, `reason`                           |
--- | `call`            | from a probe only    | `request`; the answer comes as `reply`    |
--- | `reply`           | to a probe only      | `value`, or `reason` when the call failed |
---@class stagehost.spec.Message
---@field kind "subscribe"|"ask"|"cancel"|"events"|"cancel_consumer"|"call"|"reply"
---@field sub? stagehost.Subscription
---@field n? integer
---@field events? any[]
---@field reason? any as everywhere in the API
---@field opts? table options of the subscription as a script writes them, without `to`
---@field current? stagehost.Subscription resubscribe: what `sub` replaces, because of `reason`
---@field request? any
---@field value? any

--- Stops a stage from taking messages. What arrives waits in its mailbox; only a kill gets through.
---@param stage stagehost.Stage
function hooks.hold(stage) end

--- Lets a held stage go on. Nothing happens if it is not held.
---@param stage stagehost.Stage
function hooks.release(stage) end

--- Has the worker of the caller look at the clock no more between turns: their order is the same on a machine that
--- is busy with other things, and under --gc-stress.
function hooks.endless_slices() end

--- Suspends the caller until the other stages of its worker have nothing to do: nothing is queued
--- for a stage that takes messages, and no stage is running. A held stage counts as idle, and so
--- does one that waits inside a callback.
---@param timeout_ms? integer give up after that long; default: never
---@return boolean quiet false: it did not get there in time
function hooks.settle(timeout_ms) end

--- Sends one protocol message as if `from` had sent it. Answers to it go to `from`, in order
--- with everything else it receives.
---@param from stagehost.Stage usually a probe
---@param to stagehost.Stage
---@param message stagehost.spec.Message
function hooks.inject(from, to, message) end

--- A subscription that neither side knows of.
---@param consumer stagehost.Stage
---@param producer stagehost.Stage
---@return stagehost.Subscription
function hooks.new_subscription(consumer, producer) end

--- Starts a stage that acts on no protocol message: each goes to `handle`, in the order of
--- arrival. Subscriptions may be made to it and from it; it can be killed like any other.
---@param opts { name?: string, handle: fun(message: stagehost.spec.Message) }
---@return stagehost.Stage
function hooks.start_probe(opts) end

--- Passes every log record of every level to `f` alone; nil: as it was before.
--- `code` is the name of SH_LOG_MAP. `f` must not log. What other workers log is dropped.
---@param f? fun(code: string, stage: string?, message: string)
function hooks.on_log(f) end

--- Tells a stage that a stage it never heard of has ended. It arrives in handle_info as "down".
---@param stage stagehost.Stage
function hooks.fake_down(stage) end

return hooks
