# SPDX-License-Identifier: MIT
#
# The job of scripts/word_count.lua for mawk, with the same list.
#   mawk -f word_count.awk FILE

BEGIN { FS = "[^A-Za-z0-9]+" }

{
    $0 = tolower($0)
    for (i = 1; i <= NF; i++)
        if ($i != "")
            counts[$i]++
}

END {
    sort = "LC_ALL=C sort -k1,1nr -k2,2"
    for (word in counts)
        printf "%9d  %s\n", counts[word], word | sort
    close(sort)
}
