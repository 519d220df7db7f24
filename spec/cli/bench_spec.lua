-- SPDX-License-Identifier: MIT
--
-- The bench of jobs over tiny inputs: its programs agree about their outputs, and a program that does not is found.
local command = require "spec.support.command"
local json = require "stagehost.codec.json"
local outputs = require "spec.bench.jobs.outputs"
local stagehost = require "stagehost"

local root = assert(stagehost.uv.fs_realpath ".")
local build = (os.getenv "STAGEHOST" or "stagehost"):match "^(.*)/[^/]*$"

local LINE = "$S '%s/spec/bench/jobs/run.lua' --build %s --data data --part 0.0005 --rounds 1 --json --rows %s"

local function bench(folder, rows, before)
    return command.run((before or "") .. LINE:format(root, folder, rows))
end

describe("the comparison of outputs", function()
    it("takes lines in any order", function()
        assert.is_nil(outputs.compare("a\nb\na\n", "b\na\na\n"))
    end)

    it("tells a line that differs, is missing, or is there twice", function()
        assert.is_truthy(outputs.compare("a\nb\n", "a\nc\n"):find('"c\\\n" and should be "b\\\n"', 1, true))
        assert.is_truthy(outputs.compare("a\nb\n", "a\n"):find('"missing"', 1, true))
        assert.is_truthy(outputs.compare("a\nb\n", "a\nb\nb\n"):find("3 lines, and should be 2", 1, true))
        assert.is_truthy(outputs.compare("a\nb\n", "a\nb"))
    end)

    it("takes fields of a record in any order, and escaped slashes", function()
        assert.is_nil(outputs.compare('{"a":1,"b":"x/y"}\n', '{"b":"x\\/y","a":1}\n', true))
        assert.is_truthy(outputs.compare('{"a":1,"b":2}\n', '{"b":2,"a":2}\n', true))
    end)

    it("adds up the reports about halves", function()
        assert.is_nil(outputs.compare_sum("requests 3\n\ntop\n  3 x\n", { "requests 1\n\n", "requests 2\n\n" }))
        assert.is_nil(outputs.compare_sum("  3  x\n  1  y\n", { "  2  x\n", "  1  y\n  1  x\n" }))
        assert.is_truthy(outputs.compare_sum("  3  x\n", { "  2  x\n", "  2  x\n" }))
        assert.is_truthy(outputs.compare_sum("  3  x\n", { "  2  x\n", "  1  x\n  1  y\n" }))
    end)
end)

describe("the bench of jobs", function()
    it("prints a row for each program", function()
        local run = bench(build, "access_log,word_count,ndjson,lines")
        assert.are.equal(0, run.status, run.err)
        local rows, n = json.decode(run.out), {}
        for _, row in ipairs(rows) do
            n[row.group] = (n[row.group] or 0) + 1
            assert.is_truthy(row.skipped or row.value > 0)
        end
        assert.are.same({ access_log = 7, word_count = 5, ndjson = 6, lines = 3 }, n)
    end)

    it("fails when a program's output differs, and names it", function()
        local run = bench(".", "word_count", [[
            printf '#!/bin/sh\necho "        1  wrong"\n' >stagehost; chmod +x stagehost
        ]])
        assert.are.equal(70, run.status)
        local told = "word_count: stagehost -w 1 has another output than plain LuaJIT script"
        assert.is_truthy(run.err:find(told, 1, true), run.err)
    end)

    it("refuses a row that is not there", function()
        local run = bench(build, "word_counts")
        assert.are.equal(70, run.status)
        assert.is_truthy(run.err:find("unknown row word_counts; there are access_log, word_count", 1, true), run.err)
    end)
end)
