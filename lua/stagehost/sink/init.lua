-- SPDX-License-Identifier: MIT

--- Consumers that pipelines end with. Each function returns a definition for stagehost.start; each
--- file is loaded at its first use.
---@class stagehost.sink
---@field print fun(options?: table): stagehost.Definition one line for each event, on standard output
---@field lines fun(options: table): stagehost.Definition lines into a file or standard output
---@field collect fun(): stagehost.Definition keeps the events
---@field collect_from fun(producer: any, options?: table): any[]?, any all events that a producer emits
---@field each fun(f: fun(event: any)): stagehost.Definition calls a function with each
return require "stagehost.engine.lazy".new("stagehost.sink",
    { "print", "lines", "collect", "collect_from", "each" })
