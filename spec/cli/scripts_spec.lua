-- SPDX-License-Identifier: MIT
--
-- Every script of scripts/, run as its header says, with its output checked.
local stagehost = os.getenv("STAGEHOST") or "stagehost"

--- Standard output, the exit status and standard error of a shell command in which $S is the command under a
--- time limit, and $E the bare one.
local function run(line)
    local errors = os.tmpname()
    local shell = "E='%s'; S=\"timeout 30 $E\"; { %s; } 2>%s; echo status $?"
    local pipe = assert(io.popen(shell:format(stagehost, line, errors)))
    local text = pipe:read("*a")
    pipe:close()
    local file = assert(io.open(errors))
    local err = file:read("*a")
    file:close()
    os.remove(errors)
    local output, status = text:match("^(.*)status (%d+)\n$")
    return output, tonumber(status), err
end

local function temporary(text)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    finally(function() os.remove(path) end)
    return path
end

--- What a script's output is, on any number of workers.
local function check(line, expected)
    for _, workers in ipairs { 1, 2, 8 } do
        local output, status, err = run(line:gsub("$S ", "$S -w " .. workers .. " ", 1))
        local told = ("%s on %d workers: status %d, standard error:\n%s"):format(line, workers, status, err)
        assert.are.equal(expected, output, told)
        assert.are.equal(0, status, told)
    end
end

describe("scripts", function()
    it("counter", function()
        check("$S scripts/counter.lua 4", "0\n2\n4\n6\n")
    end)

    it("fan_out", function()
        check("$S scripts/fan_out.lua", "handled 1000 events, each once\n")
    end)

    it("broadcast", function()
        check("$S scripts/broadcast.lua | sort", "all: 1 2 3 4 5 6 7 8 9 10\neven: 2 4 6 8 10\n")
    end)

    it("partition", function()
        check("$S scripts/partition.lua | sort", "even: 2 4 8 10\nodd: 1 5 7 11\n")
    end)

    it("dead_letter", function()
        check("$S scripts/dead_letter.lua", 'dead letter "seven": not a number, given 2 times to adder\n'
            .. 'dead letter "4o": not a number, given 2 times to adder\n4 numbers make 100\n')
    end)

    it("cache", function()
        check("$S scripts/cache.lua", "dealt 1 2 3 4 5 1 2 3 4 5 1 2 3 4 5 1 2 3 4 5\n"
            .. "20 cards for 5 that were made\n")
    end)

    it("rate_limit", function()
        check("$S scripts/rate_limit.lua", "20 events in 4 portions of at most 5\n")
    end)

    it("broker", function()
        check("$S scripts/broker.lua", "2 producers, 3 consumers: 200 events, each of them handled once\n"
            .. "north joined: 100 more, from it alone\na consumer left: 300 more for those that stayed\n"
            .. "all producers ended: 2 consumers still there\n")
    end)

    it("rate_limited_fetch", function()
        check("$S scripts/rate_limited_fetch.lua", "stored 30 pages, in batches of at most 8\n"
            .. "fetched 30 pages with 3 fetchers: as slowly as they must be\n")
    end)

    it("slow_consumer", function()
        check("$S scripts/slow_consumer.lua", "discarded 90 of 100\nkept: 91 92 93 94 95 96 97 98 99 100\n")
    end)

    it("dynamic_workers", function()
        check("$S scripts/dynamic_workers.lua",
            "job 13 fails, and is done again\n100 jobs done by 101 workers, never more than 8 at once\n")
    end)

    it("worker_pool", function()
        check("$S scripts/worker_pool.lua 3", "primes below 10000: 1229\nprimes below 20000: 2262\n"
            .. "primes below 30000: 3245\nprimes below many: failed (not a number: many)\n"
            .. "primes below 40000: 4203\nprimes below 50000: 5133\n3 workers, 1 of them new\n")
    end)

    it("word_count", function()
        check("echo 'the cat and the dog' | $S scripts/word_count.lua",
            "        2  the\n        1  and\n        1  cat\n        1  dog\n")
    end)

    it("custom_dispatcher", function()
        check("$S scripts/custom_dispatcher.lua", "important: 1 2 3 4 5 6\nother: 7 8 9 10\n")
    end)

    it("zip", function()
        check("$S scripts/zip.lua", "ada 36\ngrace 85\nalan 41\n1 2 3 4 5 6 7 8 9\n")
    end)

    it("ndjson_filter", function()
        local output, status = run([[printf '{"status":200}\n{"status":404}\nnot json\n' |
            $S scripts/ndjson_filter.lua]])
        assert.are.equal(0, status)
        assert.is_truthy(output == '{"status":404,"failed":true}\n' or output == '{"failed":true,"status":404}\n')
    end)

    it("tail prints what is appended and ends in order on SIGTERM", function()
        local path = temporary("before\n")
        local output, status = run(([[
            $E scripts/tail.lua %s --from-start > %s.out & pid=$!
            for i in $(seq 100); do grep -q before %s.out && break; sleep 0.1; done
            echo after >> %s
            for i in $(seq 100); do grep -q after %s.out && break; sleep 0.1; done
            kill -TERM $pid; wait $pid; code=$?; cat %s.out; rm %s.out; (exit $code)]])
            :gsub("%%s", path))
        assert.are.equal("before\nafter\n", output)
        assert.are.equal(0, status)
    end)

    it("make_access_log always makes the same log for a seed", function()
        local first = run("$S scripts/make_access_log.lua 1000 7 | cksum")
        assert.are.equal(first, (run("$S scripts/make_access_log.lua 1000 7 | cksum")))
        assert.are_not.equal(first, (run("$S scripts/make_access_log.lua 1000 8 | cksum")))
        assert.are.equal("1000\n", (run("$S scripts/make_access_log.lua 1000 7 | wc -l")))
    end)
end)

describe("access_log", function()
    -- The same numbers by awk: split at the quotes; a line of another shape is unparsable.
    local AWK = [==[awk -F'"' '
        NF != 7 || $0 !~ /"$/ { bad++; next }
        { split($1, a, " "); split($2, r, " "); split($3, s, " ")
          n++; bytes += s[2]; class[substr(s[1], 1, 1)]++; path[r[2]]++; client[a[1]]++ }
        END { printf "requests %d\nbytes %.0f\nunparsable %d\n", n, bytes, bad
              for (c = 1; c <= 9; c++) if (class[c]) printf "status %dxx %d\n", c, class[c]
              for (p in path) printf "path %s %d\n", p, path[p]
              for (c in client) printf "client %s %d\n", c, client[c] }' ]==]

    --- Checks the JSON report against awk's counts.
    local function compare(path, workers)
        local json = require "cjson"
        local text, status = run(("$S -w %d scripts/access_log.lua --json %s"):format(workers, path))
        assert.are.equal(0, status)
        local report = json.decode(text)
        local counts = { path = {}, client = {}, status = {} }
        for line in run(AWK .. path):gmatch("[^\n]+") do
            local kind, key, n = line:match("^(%S+) (.*) (%d+)$")
            if counts[kind] then
                counts[kind][key] = tonumber(n)
            else
                kind, n = line:match("^(%S+) (%d+)$")
                counts[kind] = tonumber(n)
            end
        end
        assert.are.equal(counts.requests, report.requests)
        assert.are.equal(counts.bytes, report.bytes)
        assert.are.equal(counts.unparsable, report.unparsable)
        assert.are.same(counts.status, report.status)
        for kind, top in pairs { path = report.paths, client = report.clients } do
            assert.is_true(#top > 0)
            for i, entry in ipairs(top) do
                assert.are.equal(counts[kind][entry.name], entry.requests)
                assert.is_true(i == 1 or top[i - 1].requests >= entry.requests)
            end
            local least, above = top[#top].requests, 0
            for _, n in pairs(counts[kind]) do
                above = above + (n > least and 1 or 0)
            end
            assert.is_true(above < #top)
        end
    end

    it("has the numbers of an awk one-liner, on 1, 2 and 8 workers", function()
        local path = os.tmpname()
        finally(function() os.remove(path) end)
        run("$S scripts/make_access_log.lua 20000 3 > " .. path)
        for _, workers in ipairs { 1, 2, 8 } do
            compare(path, workers)
        end
    end)

    it("has them for a real log, where it is at hand", function()
        local path = "../shared/data/apache_access.log"
        local file = io.open(path)
        if not file then
            pending("no " .. path)
            return
        end
        file:close()
        compare(path, 2)
    end)

    it("reads stdin, several files, and reports an empty input", function()
        local path = os.tmpname()
        finally(function() os.remove(path) end)
        run("$S scripts/make_access_log.lua 100 > " .. path)
        local once = run("$S scripts/access_log.lua < " .. path)
        local named = run("$S scripts/access_log.lua " .. path)
        assert.are.equal(once, named)
        local twice = run(("$S scripts/access_log.lua %s %s"):format(path, path))
        assert.are.equal(2 * tonumber(once:match("requests%s+(%d+)")), tonumber(twice:match("requests%s+(%d+)")))
        assert.is_truthy(run("$S scripts/access_log.lua < /dev/null"):find("requests%s+0\n"))
    end)

    it("names a file that is not there", function()
        local _, status = run("$S scripts/access_log.lua /no/such/file")
        assert.are.equal(70, status)
    end)
end)
