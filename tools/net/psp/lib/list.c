// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Lists of answers: each entry begins with a pointer to the next one */
#include <stdlib.h>

#include "internal.h"

void list_init(struct list *list)
{
	list->head = NULL;
	list->tail = &list->head;
}

void list_add(struct list *list, void *node)
{
	struct node *new = node;

	new->next = NULL;
	*list->tail = new;
	list->tail = &new->next;
}

void list_free(void *head)
{
	struct node *node = head, *next;

	for (; node; node = next) {
		next = node->next;
		free(node);
	}
}
