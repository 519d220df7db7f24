-- SPDX-License-Identifier: MIT

--- A script that is linked with its stages: what the command makes of their ends.
local command = require "spec.support.command"

--- A script of these lines, with a stage on either worker in `stage`.
local function run(worker, start, rest)
    return command.run("$S -w 2 x.lua", {
        ["x.lua"] = ([[
            local stagehost = require "stagehost"
            local Stage = stagehost.process {
                handle_cast = function(_, what)
                    if what == "crash" then error("boom", 0) end
                    return stagehost.stop(what)
                end,
            }
            local stage = assert(stagehost.start(Stage, { worker = %d, %s }))
            %s
            print "went on"
        ]]):format(worker, start, rest),
    })
end

local function count(text, pattern)
    return select(2, text:gsub(pattern, ""))
end

for worker = 0, 1 do
    describe("a script linked with a stage of worker " .. worker, function()
        it("fails with it, which is one error", function()
            local result = run(worker, "link = true", 'stage:cast "crash"; stagehost.sleep(20000)')
            assert.equal(70, result.status)
            assert.equal("", result.out)
            assert.equal(1, count(result.err, "level=error"))
            assert.matches("ended with a stage it was linked to: boom", result.err)
        end)

        it("fails when it is killed", function()
            local result = run(worker, "link = true", "stage:kill(); stagehost.sleep(20000)")
            assert.equal(70, result.status)
            assert.equal("", result.out)
            assert.equal(1, count(result.err, "level=error"))
        end)

        it("fails when it ends for a reason of its own", function()
            local result = run(worker, "link = true", 'stage:cast "odd"; stagehost.sleep(20000)')
            assert.equal(70, result.status)
            assert.equal("", result.out)
            assert.equal(1, count(result.err, "level=error"))
        end)

        it("fails with one that is supervised by it: nobody else deals with that", function()
            local result = run(worker, "link = true, supervised = true", 'stage:cast "crash"; stagehost.sleep(20000)')
            assert.equal(70, result.status)
            assert.equal(1, count(result.err, "level=error"))
        end)

        it("ends in order with it when it is shut down", function()
            local result = run(worker, "link = true", 'stage:cast "shutdown"; stagehost.sleep(20000)')
            assert.equal(0, result.status)
            assert.equal("", result.out)
            assert.equal(0, count(result.err, "level=error"))
        end)

        it("goes on when it ends normally, or after unlink", function()
            for _, rest in ipairs { 'stage:cast "normal"', 'stagehost.unlink(stage); stage:stop "odd"' } do
                local result = run(worker, "link = true, supervised = true", rest .. "; stage:join()")
                assert.equal(0, result.status)
                assert.equal("went on\n", result.out)
            end
        end)

        it("is not there without the link: only the status tells", function()
            local result = run(worker, "", 'stage:cast "crash"; stage:join()')
            assert.equal(70, result.status)
            assert.equal("went on\n", result.out)
        end)
    end)
end

describe("a task that fails", function()
    local function task(options)
        return command.run("$S x.lua", {
            ["x.lua"] = ([[
                local stagehost = require "stagehost"
                local task = stagehost.task({ %s }, error, "boom", 0)
                print(task:await())
            ]]):format(options),
        })
    end

    it("is its starter's matter", function()
        local result = task ""
        assert.equal(0, result.status)
        assert.matches("^nil\t.*boom", result.out)
        assert.equal(1, count(result.err, "level=error"))
    end)

    it("is a failure of the host if they are linked", function()
        local result = task "link = true"
        assert.equal(70, result.status)
        assert.equal("", result.out)
        assert.equal(1, count(result.err, "level=error"))
    end)
end)
