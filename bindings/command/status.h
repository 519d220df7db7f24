/* SPDX-License-Identifier: MIT
 *
 * Exit statuses of the command; the numbers are those of sysexits.h. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

enum cli_status {
    CLI_STATUS_OK = 0,         /* finished, or drained completely after a signal */
    CLI_STATUS_USAGE = 64,     /* the command line is wrong */
    CLI_STATUS_NO_SCRIPT = 66, /* the script does not exist or can't be read */
    CLI_STATUS_FAILED = 70,    /* the script or a stage failed, or its output was lost */
    CLI_STATUS_CUT_SHORT = 75, /* the drain was cut short, or events are left unfinished */
};

#endif
