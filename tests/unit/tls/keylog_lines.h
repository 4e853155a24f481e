/* Parts of key log lines: 32 or 48 bytes in hexadecimal. */
#ifndef RW_TESTS_KEYLOG_LINES_H
#define RW_TESTS_KEYLOG_LINES_H

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B48 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C32 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D32 "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

#endif
