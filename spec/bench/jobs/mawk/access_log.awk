# SPDX-License-Identifier: MIT
#
# The job of scripts/access_log.lua for mawk, with the same report.
#   mawk -f access_log.awk FILE

/^[^ ]+ [^ ]+ .*\[[^]]+\] "[^"]*" [0-9][0-9][0-9] [^ ]+ "[^"]*" ".*"$/ {
    requests++
    bytes += $10
    classes[substr($9, 1, 1)]++
    paths[$7]++
    clients[$1]++
    next
}

{ unparsable++ }

function print_top(title, counts,    name, sort) {
    print "\ntop " title
    fflush()
    sort = "LC_ALL=C sort -k1,1nr -k2,2 | head -n 10"
    for (name in counts)
        printf "%9d  %s\n", counts[name], name | sort
    close(sort)
}

END {
    printf "%-13s %d\n", "requests", requests
    printf "%-13s %.0f\n", "bytes", bytes
    printf "%-13s %d\n", "unparsable", unparsable
    for (class = 1; class <= 9; class++)
        if (class in classes)
            printf "%-13s %d\n", "status " class "xx", classes[class]
    print_top("paths", paths)
    print_top("clients", clients)
}
