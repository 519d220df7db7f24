-- SPDX-License-Identifier: MIT

--- A producer of dead letters: a stage to name in the option `dead_letter` of others, or in the
--- `on_error` of a codec. It emits every letter it is sent: { event =, error =, stage =, deliveries = }.
local definition = require "stagehost.options.definition"
local tables = require "stagehost.options.tables"

local function is_letter(message)
    return message.event ~= nil or message.error ~= nil
end

--- The letters of a message: the core sends lists, a codec one letter at a time.
local function handle_cast(_, message)
    if type(message) ~= "table" then
        return nil
    end
    return is_letter(message) and { message } or message
end

--- Makes the definition. The stage does not end by itself: `stage:finish()` ends it when its consumers have
--- taken all its letters; a drain does so when the stages that could send letters are gone.
---
---     local letters = stagehost.start(stagehost.dead_letters { name = "letters" })
---     stagehost.start(Worker, { on_error = "dead_letter", dead_letter = letters })
---     stagehost.start(Clerk, { subscribe_to = { letters } })
---
---@param options? table options of its start, which may override them; buffer_size is "infinity"
---@return stagehost.Definition
return function(options)
    local fields = { title = "dead_letters", handle_cast = handle_cast, buffer_size = "infinity" }
    return definition.new("producer", tables.copy(fields, options))
end
