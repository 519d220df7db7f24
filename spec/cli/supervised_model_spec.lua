-- SPDX-License-Identifier: MIT

--- The model tests with crashes, under stagehost.supervisor: random pipelines whose stages are killed and fail
--- (spec/support/supervised_model.lua). With and without acknowledgement every event is handled once, or the
--- report at the end has it among those that are lost; with it, what was given up was delivered max_deliver times.
local run = require "spec.support.command".run

local SEEDS = tonumber(os.getenv "STAGEHOST_SEEDS") or 12

local function read(path)
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    return text
end

local function sum_of(report, what)
    return tonumber(report:match('msg="(%d+) events? %a+ ' .. what .. '"') or 0)
end

describe("a pipeline under fire below stagehost.supervisor", function()
    local model = read "spec/support/supervised_model.lua"

    for _, mode in ipairs { "engine", "ack" } do
        for workers = 1, 2 do
            it(("accounts for every event: %s, %d workers"):format(mode, workers), function()
                for seed = 1, SEEDS do
                    local r = run(("timeout 40 $S -w %d model.lua %s %d"):format(workers, mode, seed),
                        { ["model.lua"] = model })
                    local what = r.out .. r.err:sub(-2000)
                    local emitted, handled = r.out:match "^ok\t(%d+)\t(%d+)\n"
                    assert.is_truthy(emitted, what)
                    local lost = sum_of(r.err, "unfinished") + sum_of(r.err, "discarded")
                    assert.equal(emitted - handled, lost, what)
                end
            end)
        end
    end
end)
