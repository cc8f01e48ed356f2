// SPDX-License-Identifier: GPL-2.0
/* Who a certificate is for, and who it has to be for */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "pspcat.h"

/* The name is looked for where names belong, and whole */
bool name_expect(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	unsigned char addr[16];

	/* args_check_proof() lets none of these through */
	if (!*name || *name == '.')
		return false;
	X509_VERIFY_PARAM_set_hostflags(param,
					X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
					X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (inet_pton(AF_INET, name, addr) == 1 ||
	    inet_pton(AF_INET6, name, addr) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	return SSL_set1_host(ssl, name) == 1;
}

/* As much of it as there is room for */
static size_t name_add(char *to, size_t size, size_t at,
		       const GENERAL_NAME *name)
{
	char addr[INET6_ADDRSTRLEN];
	const unsigned char *text;
	const ASN1_STRING *val;
	int type, len;

	val = GENERAL_NAME_get0_value(name, &type);
	if (type != GEN_DNS && type != GEN_IPADD)
		return at;
	text = ASN1_STRING_get0_data(val);
	len = ASN1_STRING_length(val);
	if (type == GEN_IPADD) {
		if ((len != 4 && len != 16) ||
		    !inet_ntop(len == 4 ? AF_INET : AF_INET6, text, addr,
			       sizeof(addr)))
			return at;
		text = (const unsigned char *)addr;
		len = strlen(addr);
	}
	if (len + 3 > (int)(size - at))
		return at;
	if (at) {
		memcpy(to + at, ", ", 2);
		at += 2;
	}
	agree_text(to + at, size - at, text, len);
	return at + len;
}

void name_of(X509 *cert, char *to, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name,
						NULL, NULL);
	char subject[128];
	size_t at = 0;
	int i;

	*to = '\0';
	for (i = 0; i < sk_GENERAL_NAME_num(names); i++)
		at = name_add(to, size, at, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	if (at)
		return;
	X509_NAME_oneline(X509_get_subject_name(cert), subject,
			  sizeof(subject));
	agree_text(to, size, (unsigned char *)subject, strlen(subject));
}
