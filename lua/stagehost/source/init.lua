-- SPDX-License-Identifier: MIT

--- Producers that pipelines begin with. Each function returns a definition for stagehost.start;
--- each file is loaded at its first use.
---@class stagehost.source
---@field lines fun(options: table | string): stagehost.Definition lines of files and standard input
---@field tail fun(options: table | string): stagehost.Definition lines that are appended to a file
---@field list fun(events: any[], options?: table): stagehost.Definition the events of a list
---@field iterate fun(f: any, state?: any, control?: any): stagehost.Definition the values that f returns
---@field interval fun(ms: integer, limit?: integer, options?: table): stagehost.Definition ticks of a clock
---@field queue fun(options?: table): stagehost.Queue events that other stages push
return require "stagehost.engine.lazy".new("stagehost.source",
    { "lines", "tail", "list", "iterate", "interval", "queue" })
