-- SPDX-License-Identifier: MIT
---@meta stagehost.core

--- The functions and objects that the C half (bindings/) gives Lua: for editors and readers, never loaded.

---@alias stagehost.Reason nil | "normal" | "shutdown" | "killed" | "noproc" | string | table

---@class stagehost.Definition
---@field kind stagehost.Kind
---@field title? string what a chain calls a stage of it that has no name

--- `self` is the stage's own table; fields it does not have are looked up in the definition.
---@class stagehost.Process
---@field init? fun(self: table, args: any): any options, ignore, stop(reason) or nothing
---@field handle_call? fun(self: table, request: any, from: stagehost.Call): any, any[]?
---@field handle_cast? fun(self: table, message: any): any[]?
---@field handle_info? fun(self: table, message: any): any[]?
---@field handle_exit? fun(self: table, from: stagehost.Stage?, reason: stagehost.Reason): any[]? traps exits
---@field handle_down? fun(self: table, stage: stagehost.Stage, reason: stagehost.Reason, ref: integer): any[]?
---@field terminate? fun(self: table, reason: stagehost.Reason)

--- `kind` is the role of the other side. A consumer may return "manual", a producer redirect(producers), and
--- either side stop(reason).
---@alias stagehost.handle_subscribe
---| fun(self: table, kind: "producer" | "consumer", opts: table, from: stagehost.Subscription): any

---@alias stagehost.how "cancel" | "down"
---@alias stagehost.handle_cancel
---| fun(self: table, reason: any, from: stagehost.Subscription, how: stagehost.how): any[]?

--- Called once on a stage that consumes, before terminate, when no subscription is left and none has ended
--- abnormally. `reason` is that of the last subscription, "normal" or "shutdown"; the stage ends with it. The events
--- returned are delivered. With handle_end, `cancel` is "transient" unless a subscription says otherwise. Temporary
--- subscriptions do not count: a stage that has no others has it called in a drain, and by a pipeline.
---@alias stagehost.handle_end fun(self: table, reason: stagehost.Reason): any[]?

---@alias stagehost.send fun(to: stagehost.Subscription, events: any[])

--- The demand of one subscription that is still open, including what handle_demand was told before.
---@class stagehost.DemandBy
---@field from stagehost.Subscription
---@field demand integer
---@field partition? integer | string at a partition dispatcher

--- The options of stages and subscriptions are described where they are listed: options/names.lua.
---
--- handle_demand is told of demand once. From then on the producer owes it: events it does not return at once it
--- returns later, from any callback, without being asked again (with polling_interval it is called again). When a
--- consumer leaves, its demand stays owed. A new consumer gets those events, and handle_demand is told only of the
--- part of its demand that exceeds what is owed.
---@class stagehost.Producer : stagehost.Process, stagehost.ProducerOptions
---@field split_input? { parts: integer | "auto", deal: fun(self, n: integer): stagehost.Definition[] }
---@field handle_demand? fun(self: table, n: integer, by?: stagehost.DemandBy[]): any[]? `by` with option demand_by
---@field handle_subscribe? stagehost.handle_subscribe
---@field handle_cancel? stagehost.handle_cancel
---@field format_discarded? fun(self: table, count: integer): boolean?

---@class stagehost.Consumer : stagehost.Process, stagehost.ConsumerOptions
---@field handle_events fun(self: table, events: any[], from: stagehost.Subscription)
---@field handle_subscribe? stagehost.handle_subscribe
---@field handle_cancel? stagehost.handle_cancel
---@field handle_notification? fun(self: table, message: any, from: stagehost.Subscription)
---@field handle_end? stagehost.handle_end

---@class stagehost.Letter
---@field event any
---@field error stagehost.Reason
---@field stage string the name of the stage that could not handle it
---@field deliveries integer how often the event was given to a callback

---@class stagehost.ProducerConsumer : stagehost.Producer, stagehost.Consumer

---@alias stagehost.DispatcherOption "demand" | "fair" | "broadcast" | table | stagehost.Dispatcher

--- A dispatcher written in Lua. Its callbacks must not wait.
---@class stagehost.Dispatcher
---@field init? fun(self: table, options: table)
---@field subscribe fun(self: table, from: stagehost.Subscription, opts: table): false?, any
---@field cancel fun(self: table, from: stagehost.Subscription)
---@field ask fun(self: table, from: stagehost.Subscription, n: integer)
---@field credit? fun(self: table): integer
---@field dispatch fun(self: table, events: any[], send: stagehost.send): integer | any[] | nil

---@class stagehost.Stage
---@field name string? nil if it was started without one
---@field id integer
---@field worker integer
---@field kind stagehost.Kind
local Stage = {}

--- Waits for the reply.
---@param request any
---@param timeout_ms? stagehost.Duration default 5000; math.huge: none
---@return any reply or nil, message, reason
---@return string? message
---@return any reason
function Stage:call(request, timeout_ms) end

---@param message any
function Stage:cast(message) end

---@param message any
function Stage:send(message) end

--- Like send, but handle_info gets the message before all others in the stage's mailbox, even an order to
--- end: for data that a source has read by a callback of luv. Works only for stages of the same worker.
---@param message any
function Stage:send_ahead(message) end

--- Sends a message in band to every consumer, which gets it in handle_notification.
---@param message any
function Stage:notify(message) end

--- Sends a message in band to the stage itself: it arrives in handle_info after all events that are buffered now.
--- Waits until the message is queued.
---@param message any
---@return true?
---@return string? message
---@return any reason
function Stage:sync_info(message) end

---@param message any
function Stage:async_info(message) end

--- Ends the stage gracefully and waits for its end.
---@param reason? stagehost.Reason
---@return true
function Stage:stop(reason) end

--- Ends a producer normally, without waiting: handle_demand is not called any more, buffered events are delivered.
function Stage:finish() end

--- Like stop, but does not wait.
---@param reason? stagehost.Reason
function Stage:async_stop(reason) end

function Stage:kill() end

--- Sends the stage an exit signal. A stage with handle_exit has that called; any other ends with the reason at
--- once, even while its callback waits. "normal" is ignored, except from itself; "kill" is stage:kill().
---@param reason? stagehost.Reason
function Stage:exit(reason) end

--- Waits for the stage's end.
---@return any ... its reason, even if it ended long ago; of a pipeline's process what RunningPipeline:join returns
function Stage:join() end

---@return boolean
function Stage:is_alive() end

--- Sets the demand mode of a producer; without an argument, waits for the current mode and returns it.
---@param mode? "forward" | "accumulate"
---@return ("forward" | "accumulate")?
---@return string? message
---@return any reason
function Stage:demand(mode) end

--- Waits for the number of events in the stage's buffer.
---@return integer?
---@return string? message
---@return any reason
function Stage:buffered() end

--- The stage's counters, by the names of sh_stage_stats in stagehost.h, and the name of its `dispatcher`. Works on
--- its own worker only. `ask_ns / asks_answered` is the mean time it waits for events after it has asked.
--- `crossings` lists its subscriptions with events that crossed between workers: { producer =, consumer = (names),
--- events =, bytes =, and encode_ns = where it is the producer, decode_ns = where it is the consumer }.
---@return table<string, any>?
---@return string? message
---@return any reason
function Stage:stats() end

---@param opts stagehost.SubscribeOptions
---@return stagehost.Subscription?
---@return string? message
---@return any reason
function Stage:subscribe(opts) end

---@param opts stagehost.SubscribeOptions
function Stage:async_subscribe(opts) end

---@class stagehost.Subscription
---@field consumer stagehost.Stage
---@field producer stagehost.Stage? nil if no stage had the name
---@field id integer
local Subscription = {}

---@param n integer at least 0, which asks for nothing
function Subscription:ask(n) end

--- Asks the producer to cancel the subscription; both sides get handle_cancel.
---@param reason? stagehost.Reason
function Subscription:cancel(reason) end

--- Stops the subscription for a while: see stagehost.pause.
function Subscription:pause() end

function Subscription:resume() end

--- Leaves the producer without ending the consumer, whatever the cancel mode: see stagehost.unsubscribe.
---@param reason? stagehost.Reason
function Subscription:unsubscribe(reason) end

--- How often the batch that handle_events is working on has been given to a callback, this time included;
--- 0 outside handle_events.
---@return integer?
---@return string? message
---@return any reason
function Subscription:deliveries() end

--- The counters of one side, on its own worker: events, messages, asks, outstanding; and of the events that crossed
--- between workers crossed_events, crossed_bytes, and encode_ns (the producer's side) or decode_ns (the consumer's).
---@param side "producer" | "consumer"
---@return table<string, number>?
---@return string? message
---@return any reason
function Subscription:stats(side) end

--- The `from` of handle_call.
---@class stagehost.Call
local Call = {}

--- Answers the call. Works once.
---@param value any
function Call:reply(value) end

--- Answers the call with an error: the caller gets nil, message, code.
---@param message string
---@param code string
function Call:fail(message, code) end

---@class stagehost.Timer
local Timer = {}

---@return boolean whether it was still running
function Timer:cancel() end

--- `stage`, `subscription`, `call` and `timer` are tables of methods; init.lua adds to them.
---@class stagehost.core
---@field version string
---@field constants table<string, number> bounds and defaults of the C half: bindings/options/constants.c
local core = { stage = Stage, subscription = Subscription, call = Call, timer = Timer }

--- Waits until init has returned. Sets request.stage; for a request.question, .ref and .asked as core.request would.
---@param def stagehost.Definition
---@param request table as options.start makes it
---@return true?
---@return string? message
---@return any reason
function core.start(def, request) end

---@type fun(stage: stagehost.Stage): stagehost.Reason
function core.end_reason(stage) end
---@type fun(stage: stagehost.Stage): boolean
function core.has_results(stage) end

--- Declares a stage's current subscriptions, whatever their modes, to be its last: when they have ended,
--- handle_end is called and the stage ends normally. For supervisors that keep stages subscribed.
---@param stage stagehost.Stage
function core.end_input(stage) end

---@param consumer stagehost.Stage
---@param opts table as options/subscription.lua makes it
---@param wait boolean
---@param via? integer the id of a stage for which the subscription is made, perhaps shared with others (core.part)
---@return stagehost.Subscription?
---@return string? message
---@return any reason
function core.subscribe(consumer, opts, wait, via) end

--- The max_demand of subscriptions for which neither they nor their consumer give one.
---@return integer
function core.max_demand() end

---@param n integer at least 1
function core.set_max_demand(n) end

---@param stage stagehost.Stage
function core.link(stage) end

---@param stage stagehost.Stage
function core.unlink(stage) end

---@param stage stagehost.Stage
---@return integer ref
function core.monitor(stage) end

---@param ref integer
---@return boolean
function core.demonitor(ref) end

--- Makes a call whose answer is awaited later with take(ref), or is put into `request.answer`.
---@param stage stagehost.Stage
---@param message any
---@return integer ref
---@return { answer: table? } request
function core.request(stage, message) end

---@param ref integer
---@param timeout_ms? stagehost.Duration default: none
---@return any answer
---@return string? message
---@return any reason
function core.take(ref, timeout_ms) end

---@param subscription stagehost.Subscription
---@param n integer
function core.ask(subscription, n) end

---@param subscription stagehost.Subscription
function core.pause(subscription) end

---@param subscription stagehost.Subscription
function core.resume(subscription) end

---@param subscription stagehost.Subscription
---@param reason? stagehost.Reason
function core.unsubscribe(subscription, reason) end

---@param reason? stagehost.Reason
---@param events? any[]
---@param reply? any
---@return table
function core.stop(reason, events, reply) end

---@param producers (stagehost.Stage | string)[]
---@param cancel? string
---@return table
function core.redirect(producers, cancel) end

--- Ends the subscriptions of the consumer to that producer which were made for `via` alone.
---@param consumer stagehost.Stage
---@param producer stagehost.Stage
---@param via integer the id of a stage
function core.part(consumer, producer, via) end

--- Calls handle_notification of the subscription's consumer, even if the subscription has ended.
---@param subscription stagehost.Subscription
---@param message any
function core.tell(subscription, message) end

---@return table noreply
---@return table ignore
function core.answers() end

--- Makes a function from what string.dump returned in this process: for the engine, since load() takes only text.
---@param bytes string
---@return function
function core.load_dump(bytes) end

---@param ms stagehost.Duration
function core.sleep(ms) end

--- Makes a request of the current stage to itself, for await: park waits until wake has been called.
---@return userdata waker
function core.waker() end

---@param waker userdata
function core.park(waker) end

---@param waker userdata
function core.wake(waker) end

---@param ms stagehost.Duration
---@param message any
---@return stagehost.Timer
function core.send_after(ms, message) end

---@param ms stagehost.Duration
---@param message any
---@return stagehost.Timer
function core.every(ms, message) end

---@type fun(ms: number, stage: stagehost.Stage): stagehost.Timer kills it, unless cancelled
function core.kill_after(ms, stage) end
---@type fun(i: integer, reason?: any): table see stagehost.failed
function core.failed(i, reason) end
---@type fun(ms: number, reason?: any): table see stagehost.retry_in
function core.retry_in(ms, reason) end
---@type fun() waits until no stage of this worker has anything to do
function core.settle() end
---@type fun(): table<string, any> counts of the host so far, and first_failure, a text
function core.summary() end
---@type fun(): number ms by the clock of the host
function core.now() end
---@type fun(): boolean
function core.has_virtual_clock() end

---@return stagehost.Stage?
function core.self() end

---@param name string
---@return stagehost.Stage?
function core.whereis(name) end

---@return string[]
function core.names() end

---@param name string
---@param timeout_ms? stagehost.Duration
---@return stagehost.Stage?
---@return string? message
---@return any reason
function core.await_name(name, timeout_ms) end

---@param group string
function core.enter(group) end

---@param group string
---@return boolean
function core.leave(group) end

---@param group string
---@return stagehost.Stage[]
function core.members(group) end

core.strings = require "stagehost.native.strings_meta"

--- Packs the strings of a table. Raises an error if an element is not a string.
---@param list string[]
---@return stagehost.Strings
function core.pack(list) end

---@param value any
---@param n integer
---@return integer
function core.hash(value, n) end

--- Like hash, for values that may have none.
---@param value any
---@param n integer
---@return integer?
---@return string? problem
function core.try_hash(value, n) end

--- Sets places[i] to 1 + the place of events[i] among n, or to a string that says why it has none.
---@param places table
---@param events any[]
---@param first integer
---@param last integer
---@param n integer
function core.hash_events(places, events, first, last, n) end

--- The address of a struct of C functions, for engine/routing.lua.
---@return lightuserdata
function core.hash_natives() end

--- Tells the progress line (engine/progress.lua) that a source begins to read; nil: it does not know how much.
---@param total? integer bytes
function core.board_join(total) end

--- Adds what a source has read since its last call. Returns values only if the caller should draw the line now.
---@param bytes integer
---@param lines integer
---@return integer? bytes of all sources
---@return integer? lines
---@return number? rate bytes a second
---@return integer? width of the text on the screen
---@return integer? total bytes; nil: a source does not know
function core.board_add(bytes, lines) end

---@param width integer columns that have been drawn
function core.board_drawn(width) end
---@return integer width of the text to erase
function core.board_leave() end
---@return integer width of the text to erase; nothing is drawn any more
function core.board_hide() end

---@return integer
function core.workers() end
---@return integer
function core.worker() end
---@return boolean
function core.is_draining() end
--- For terminate: counts events that the stage kept and no stage will get.
---@param n integer
function core.leave_behind(n) end
--- For a consumer that ends now because nothing reads its output: a producer that it leaves
--- without a consumer ends, too.
function core.end_producers() end
---@param status integer
function core.set_exit_status(status) end
--- Counts a failure that the current stage should have dealt with and did not. It is the host's, unless the stage
--- is supervised too.
---@param reason stagehost.Reason
function core.count_failure(reason) end
--- Reports a callback of luv that has failed: it is logged, and counts as a failure of the host.
---@param text string the message and the traceback
function core.callback_failed(text) end
---@param level string
---@param text string
---@param code? string a name of SH_LOG_MAP in stagehost.h; default "log"
function core.log(level, text, code) end
--- Tells the ledger that `n` events which the current stage gave to children were not handled.
---@param n integer
function core.lose_child_events(n) end

return core
