/* The files that TLS needs: what is wrong with them is told, and nobody waits for it. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "out/syslog.h"
#include "support/scratch.h"

Test(certificates, that_cannot_be_used_are_named)
{
    char error[SYSLOG_ERROR];
    struct syslog_options o = { .tls = { .ca_file = "/no/such/ca.pem" } };

    cr_assert_null(syslog_open("tls://127.0.0.1", &o, error));
    cr_assert_not_null(strstr(error, "CA file /no/such/ca.pem: "), "%s", error);
    o.tls = (struct syslog_tls_options){ .cert_file = "/no/such/cert.pem" };
    cr_assert_null(syslog_open("tls://127.0.0.1", &o, error));
    cr_assert_not_null(strstr(error, "belong together: only the certificate is given"), "%s", error);
    o.tls.key_file = "/no/such/key.pem";
    cr_assert_null(syslog_open("tls://127.0.0.1", &o, error));
    cr_assert_not_null(strstr(error, "client certificate /no/such/cert.pem: "), "%s", error);
}

Test(certificates, that_cannot_be_read_are_told_with_why)
{
    struct syslog_options o = { .tls.ca_file = "/nonexistent/ca.pem" };
    char error[SYSLOG_ERROR];

    cr_assert_null(syslog_open("tls://127.0.0.1", &o, error));
    cr_assert_not_null(strstr(error, "CA file /nonexistent/ca.pem: No such file or directory"), "%s", error);
}

/* Certificates are read again while packets are captured. */
Test(certificates, that_are_fifos_are_not_waited_for, .timeout = 10)
{
    struct syslog_options o = { .tls.ca_file = scratch_path() };
    char error[SYSLOG_ERROR];

    cr_assert_eq(mkfifo(scratch_path(), 0600), 0);
    cr_assert_null(syslog_open("tls://127.0.0.1", &o, error));
    cr_expect(strstr(error, "CA file /tmp/") && strstr(error, "no regular file"), "%s", error);
    o.tls = (struct syslog_tls_options){ .insecure = true, .cert_file = scratch_path(), .key_file = scratch_path() };
    cr_assert_null(syslog_open("tls://127.0.0.1", &o, error));
    cr_expect(strstr(error, "client certificate /tmp/") && strstr(error, "no regular file"), "%s", error);
    scratch_remove();
}
