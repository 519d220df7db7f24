-- SPDX-License-Identifier: MIT

--- The frame below a script's main chunk. Internal.
---@param chunk function
---@param args string[] with [0]
return function(chunk, args)
    _G.arg = args
    return chunk(unpack(args))
end
