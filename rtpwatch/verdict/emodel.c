/* The E-model: what a listener would say (ITU-T G.107), from loss and delay. */
#include <math.h>

#include "verdict/verdict_private.h"

#define R_DEFAULT 93.2 /* G.107 §7.7: all parameters at their default values */

/* G.113 Appendix I. Those without an ITU value say whose they are. */
static const struct emodel_codec codecs[] = {
    { "PCMU", "G.711 with loss concealment", 0, 25.1, "Ie 0, Bpl 25.1 (G.113 App. I)" },
    { "PCMA", "G.711 with loss concealment", 0, 25.1, "Ie 0, Bpl 25.1 (G.113 App. I)" },
    { "G729", "G.729A with silence suppression", 11, 19, "Ie 11, Bpl 19 (G.113 App. I)" },
    { "opus", "Opus", 6, 10, "Ie 6, Bpl 10 (no ITU value: what the rtcscore project takes where the bit rate is not known)" },
};

const struct emodel_codec *emodel_codec(const char *encoding)
{
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (span_eq_nocase(span_str(encoding), span_str(codecs[i].encoding)))
            return &codecs[i];
    return NULL;
}

/* G.107 (7-27), (7-28): the delay alone, with perfect echo control. */
static double delay_impairment(double delay_ms)
{
    double x;

    if (delay_ms <= 100)
        return 0;
    x = log2(delay_ms / 100);
    return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

double emodel_r(double ie, double bpl, double loss_percent, double delay_ms)
{
    double ie_eff = ie + (95 - ie) * loss_percent / (loss_percent + bpl); /* G.107 (7-29) */

    return R_DEFAULT - delay_impairment(delay_ms) - ie_eff;
}

double emodel_mos(double r)
{
    double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;

    if (r <= 0)
        return 1;
    return r >= 100 ? 4.5 : mos < 1 ? 1 : mos; /* the polynomial falls below 1 for small R */
}
