-- SPDX-License-Identifier: MIT
---@meta stagehost.native.json

--- The C half of stagehost.codec.json (bindings/native/json.c): for editors and readers, never loaded.
---@class stagehost.native.json
---@field null userdata
---@field big_integers table<"error" | "int64" | "string", integer> `options` is the sum of one of these ...
---@field invalid_utf8 table<"error" | "replace" | "keep", integer> ... and one of these
local native = {}

--- A decoder and an encoder.
---@param box fun(high: integer, low: integer, is_negative: boolean): ffi.cdata* of the halves of its absolute value
---@param unbox fun(value: ffi.cdata*): string? the digits of a boxed integer; nil for another cdata
---@return fun(text: string, options?: integer): any, string?, integer? decode nil, message, position if it is no JSON
---@return fun(value: any, options?: integer): string?, string? encode nil, message if the value can't be encoded
function native.new(box, unbox) end

return native
