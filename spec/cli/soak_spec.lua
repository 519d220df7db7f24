-- SPDX-License-Identifier: MIT
--
-- A short run of spec/soak, which takes ten minutes when it is run by hand.
local run = require "spec.support.command".run

local function here()
    local pipe = assert(io.popen "pwd")
    local folder = pipe:read "*l"
    pipe:close()
    return folder
end

describe("the soak test", function()
    for _, more in ipairs { "", " ack" } do
        it("passes for a few seconds" .. more, function()
            local r = run(("$S '%s/spec/soak/run.lua' 3 50 1%s"):format(here(), more))
            assert.is_truthy(r.out:find("\npassed\n", 1, true), r.out)
            assert.are.equal(0, r.status)
        end)
    end

    it("says how it is used", function()
        local r = run(("$S '%s/spec/soak/run.lua' long"):format(here()))
        assert.is_truthy(r.err:find("usage: stagehost spec/soak/run.lua", 1, true))
        assert.are.equal(70, r.status)
    end)
end)
