-- The text of the progress line. That it is shown on terminals only is tested in pipelines/.
local progress = require "stagehost.engine.progress"

describe("progress", function()
    it("formats bytes", function()
        assert.equal("0 B", progress.format_bytes(0))
        assert.equal("999 B", progress.format_bytes(999))
        assert.equal("1.0 kB", progress.format_bytes(1000))
        assert.equal("65.5 kB", progress.format_bytes(65536))
        assert.equal("123 MB", progress.format_bytes(123456789))
        assert.equal("1.2 GB", progress.format_bytes(1234567890))
        assert.equal("1.0 MB", progress.format_bytes(999999))
    end)

    it("formats counts", function()
        assert.equal("0", progress.format_count(0))
        assert.equal("999", progress.format_count(999))
        assert.equal("1,000", progress.format_count(1000))
        assert.equal("12,345,678", progress.format_count(12345678))
    end)

    it("formats times", function()
        assert.equal("0:00", progress.format_time(0))
        assert.equal("0:07", progress.format_time(6.6))
        assert.equal("59:59", progress.format_time(3599))
        assert.equal("1:02:09", progress.format_time(3729))
    end)

    it("says how far it is and how long it will take", function()
        local state = { bytes = 25e6, total = 100e6, lines = 100000, rate = 5e6 }
        assert.equal(" 25%  25.0 MB of 100 MB  5.0 MB/s  100,000 lines  0:15 left",
            progress.render(state, 80))
    end)

    it("leaves out what it can't know", function()
        local state = { bytes = 25e6, lines = 100000, rate = 5e6 }
        assert.equal("25.0 MB  5.0 MB/s  100,000 lines", progress.render(state, 80))
    end)

    it("fits on the terminal's line, and copes with a file that grew", function()
        local state = { bytes = 300, total = 100, lines = 1, rate = 100 }
        assert.equal("100%  300 B of 100 B  100 B/s  1 lines  0:00 left", progress.render(state, 80))
        assert.equal(19, #progress.render(state, 20))
    end)
end)
