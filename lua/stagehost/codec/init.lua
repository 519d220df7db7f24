-- SPDX-License-Identifier: MIT

--- Codecs turn text into values and back. Each has plain functions, `decode` and `encode`, and
--- definitions of producer_consumers, `decoder` and `encoder`.
---@class stagehost.codec
---@field json stagehost.codec.json
return require "stagehost.engine.lazy".new("stagehost.codec", { "json" })
