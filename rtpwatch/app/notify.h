/*
 * What the service manager is told (sd_notify(3)); nothing where there is none. Not by libsystemd, which waits for as long as the manager
 * takes: these wait for a second at most, and those that are called again and again not at all.
 */
#ifndef RW_APP_NOTIFY_H
#define RW_APP_NOTIFY_H

void notify_ready(void);
void notify_reloading(void); /* notify_ready() says that it is done */
void notify_stopping(void);
void notify_alive(void);                /* for the watchdog: about once a second */
void notify_status(const char *status); /* one line, up to 240 bytes */

#endif
