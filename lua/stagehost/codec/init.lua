-- SPDX-License-Identifier: MIT

--- From text to values and back. Each codec has plain functions, `decode` and `encode`, and
--- definitions of producer_consumers, `decoder` and `encoder`.
---@class stagehost.codec
---@field json stagehost.codec.json
return require "stagehost.engine.lazy".new("stagehost.codec", { "json" })
