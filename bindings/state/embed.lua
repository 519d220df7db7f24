--- Writes the C file that holds the modules of lua/ (embed.h):   luajit embed.lua OUT FILE...
--- A FILE is a path below the current folder such as lua/stagehost/options/init.lua.

local out_path = arg[1]

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\t"] = "\\t", ["\r"] = "\\r", ["?"] = "\\?" }

-- Octal escapes have at most three digits, so none can swallow the character after it.
local function quote(line)
    return '"' .. line:gsub('[%c\\"?\128-\255]', function(char)
        return ESCAPES[char] or ("\\%03o"):format(char:byte())
    end) .. '\\n"'
end

local function module_name(path)
    return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local lines = {
    '#include "state/embed.h"',
    "",
    "#include <string.h>",
    "",
    "static const struct shl_embedded modules[] = {",
}

for i = 2, #arg do
    local file = assert(io.open(arg[i], "rb"))
    local text = file:read("*a")
    file:close()
    -- What is embedded ends with a newline, whether its file does or not.
    if text:sub(-1) ~= "\n" then
        text = text .. "\n"
    end
    lines[#lines + 1] = ('    { "%s", "%s", %d,'):format(module_name(arg[i]), (arg[i]:gsub("^lua/", "")), #text)
    for line in text:gmatch("([^\n]*)\n") do
        lines[#lines + 1] = "      " .. quote(line)
    end
    lines[#lines + 1] = "    },"
end

lines[#lines + 1] = [[
};

const struct shl_embedded *shl_embedded_module(const char *name)
{
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        if (strcmp(modules[i].name, name) == 0)
            return &modules[i];
    }
    return NULL;
}
]]

local out = assert(io.open(out_path, "wb"))
assert(out:write(table.concat(lines, "\n")))
assert(out:close())
