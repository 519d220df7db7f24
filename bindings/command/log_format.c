/* SPDX-License-Identifier: MIT */
#include "command/log_parts.h"

void log_format(struct cli_text *out, enum log_style style, const struct log_line *line)
{
    switch (style) {
    case LOG_STYLE_TEXT:
    case LOG_STYLE_COLOUR:
        log_format_text(out, line, style == LOG_STYLE_COLOUR);
        break;
    case LOG_STYLE_LOGFMT:
        log_format_logfmt(out, line);
        break;
    case LOG_STYLE_JSON:
        log_format_json(out, line);
        break;
    }
}
