-- SPDX-License-Identifier: MIT

local core = require "stagehost.core"

--- A function that makes what `make` makes, each time of code of its own. What the JIT compiler makes of a loop
--- is good for the function that the loop called while it was compiled: so each selector and hash gets loops of
--- its own. `make` must have no upvalues; what it needs it gets as arguments.
---@param make function
---@return function
return function(make)
    local code = string.dump(make)
    return function(...)
        return core.load_dump(code)(...)
    end
end
