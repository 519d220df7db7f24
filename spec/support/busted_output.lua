--- An output handler for busted: plain dots and failure reports, then a line "N passed, N failed".

return function(options)
    local busted = require "busted"
    local handler = require "busted.outputHandlers.plainTerminal"(options)

    busted.subscribe({ "suite", "end" }, function()
        local failed = handler.failuresCount + handler.errorsCount
        local pending = handler.pendingsCount
        io.write(("\n%d passed, %d failed%s\n"):format(
            handler.successesCount, failed,
            pending > 0 and (", %d pending"):format(pending) or ""))
        io.flush()
        return nil, true
    end)

    return handler
end
