--- Runs the command as a shell would, in a folder of its own. This module needs no engine.
local M = {}

---@class spec.Run
---@field out string standard output
---@field err string standard error
---@field status integer exit status of the last command

local function quote(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function write(path, text)
    local file = assert(io.open(path, "wb"))
    assert(file:write(text))
    assert(file:close())
end

local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
end

-- Every line may use $S, which is the command, and wait_for FILE [TEXT], which waits until the file exists and
-- contains the text.
local prelude = [[
S=%s
set -m # so that a background job can be interrupted
trap 'kill -9 $(jobs -p) 2>/dev/null' EXIT # none is left behind by a line that fails, or is given up
trap 'exit 143' TERM
wait_for() {
    for _ in {1..1000}; do
        [ -e "$1" ] && grep -qs -e "$2" "$1" && return
        sleep 0.02
    done
    echo "waited in vain for '$2' in $1" >&2
}
cd %s
]]

--- Runs a line of bash.
---@param line string
---@param files? table<string, string> by name: written into the folder first
---@return spec.Run
function M.run(line, files)
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder) == 0)
    for name, text in pairs(files or {}) do
        write(folder .. "/" .. name, text)
    end
    write(folder .. "/.line", prelude:format(quote(os.getenv "STAGEHOST" or "stagehost"), folder) .. line .. "\n")
    os.execute(("timeout 50 bash %s/.line >%s/.out 2>%s/.err; echo $? >%s/.status"):gsub("%%s", folder))
    local run = {
        out = read(folder .. "/.out"),
        err = read(folder .. "/.err"),
        status = tonumber(read(folder .. "/.status")),
    }
    os.execute("rm -r " .. folder)
    return run
end

return M
