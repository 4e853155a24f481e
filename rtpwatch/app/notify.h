/* What the service manager is told (sd_notify(3)). Nothing where the program was built without libsystemd or runs without a manager. */
#ifndef RW_APP_NOTIFY_H
#define RW_APP_NOTIFY_H

void notify_ready(void);
void notify_reloading(void); /* notify_ready() says that it is done */
void notify_stopping(void);
void notify_alive(void); /* for the watchdog: about once a second */
void notify_status(const char *text);

#endif
