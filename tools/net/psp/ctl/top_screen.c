// SPDX-License-Identifier: GPL-2.0
/* Full screen. Whatever ends the program, the terminal is left as it was. */
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "top.h"

#define CTRL_L		12
#define ESC_MS		25

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static sigset_t caught;
static int killed;
static SCREEN *screen;

static void on_signal(int sig)
{
	__atomic_store_n(&killed, sig, __ATOMIC_RELAXED);
}

/*
 * The wait lets no signal through when there is a key already: one that is
 * still to come counts as well.
 */
static int was_killed(void)
{
	sigset_t pending;
	unsigned int i;
	int sig;

	sigpending(&pending);
	for (i = 0; i < ARRAY_SIZE(deadly); i++) {
		sig = deadly[i];
		if (sigismember(&caught, sig) && sigismember(&pending, sig))
			return sig;
	}
	return __atomic_load_n(&killed, __ATOMIC_RELAXED);
}

/*
 * Signals come while the program waits, and at no other time: none is missed
 * between a look at what came and the wait. @mask is that of the wait.
 */
static void signals_catch(sigset_t *mask)
{
	struct sigaction action = { .sa_handler = on_signal }, old;
	sigset_t block;
	unsigned int i;

	sigemptyset(&caught);
	for (i = 0; i < ARRAY_SIZE(deadly); i++) {
		sigaction(deadly[i], NULL, &old);
		if (old.sa_handler == SIG_IGN)
			continue;
		sigaction(deadly[i], &action, NULL);
		sigaddset(&caught, deadly[i]);
	}
	block = caught;
	sigaddset(&block, SIGWINCH);
	sigprocmask(SIG_BLOCK, &block, mask);
	for (i = 0; i < ARRAY_SIZE(deadly); i++)
		sigdelset(mask, deadly[i]);
	sigdelset(mask, SIGWINCH);
}

/* As if it had not been caught, for who waits for the program */
static void signals_obey(const sigset_t *mask)
{
	int sig = was_killed();

	if (!sig)
		return;
	signal(sig, SIG_DFL);
	raise(sig);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

static void screen_end(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

static void screen_colors(void)
{
	static const short fg[COLORS_NUM] = {
		[COLOR_NAME] = 6, [COLOR_ADDR] = 5, [COLOR_GOOD] = 2,
		[COLOR_BAD] = 1,
	};
	short i;

	if (!ctl.color || !has_colors())
		return;
	start_color();
	use_default_colors();
	for (i = COLOR_NAME; i <= COLOR_BAD; i++)
		init_pair(i, fg[i], -1);
}

/*
 * A key that the program was told of may be gone when it reads: the terminal
 * throws keys away on ^C. It must not wait for another then, with signals off.
 */
static void screen_never_waits(void)
{
	struct termios termios;

	if (tcgetattr(STDIN_FILENO, &termios))
		return;
	termios.c_cc[VMIN] = 0;
	termios.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &termios);
	def_prog_mode();
}

/* Terminals where the cursor cannot be placed are paper */
static int screen_start(void)
{
	const char *cup;

	screen = newterm(NULL, stdout, stdin);
	cup = screen ? tigetstr("cup") : NULL;
	if (!cup || cup == (char *)-1) {
		screen_end();
		return fail_text("top: terminal \"%s\" cannot do it; try batch",
				 getenv("TERM") ? getenv("TERM") : "");
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESC_MS);
	curs_set(0);
	screen_colors();
	screen_never_waits();
	return CTL_OK;
}

static chtype attr_of(enum color color)
{
	chtype attr = color == COLOR_HEAD ? A_REVERSE : A_NORMAL;

	if (!ctl.color || !has_colors())
		return color == COLOR_BAD ? A_BOLD : attr;
	if (color == COLOR_BAD)
		attr |= A_BOLD;
	if (color != COLOR_NONE && color != COLOR_HEAD)
		attr |= COLOR_PAIR(color);
	return attr;
}

static void screen_line(void *arg, const struct top_line *line)
{
	unsigned int i, start = 0;
	int *y = arg;

	move(*y, 0);
	for (i = 0; i < line->num_runs; i++) {
		attrset(attr_of(line->runs[i].color));
		addnstr(line->text + start, line->runs[i].end - start);
		start = line->runs[i].end;
	}
	attrset(A_NORMAL);
	if (line->head && line->cols < (unsigned int)COLS)
		chgat(-1, A_REVERSE, 0, NULL);
	(*y)++;
}

static void screen_draw(struct top *top)
{
	int y = 0;

	getmaxyx(stdscr, top->view.height, top->view.width);
	sample_sort(&top->now, top->view.sort, top->view.reverse);
	erase();
	page_make(&top->now, &top->view, screen_line, &y);
	refresh();
}

static int key_of(int key)
{
	switch (key) {
	case KEY_UP:
		return TOP_KEY_UP;
	case KEY_DOWN:
		return TOP_KEY_DOWN;
	case KEY_PPAGE:
		return TOP_KEY_PAGE_UP;
	case KEY_NPAGE:
		return TOP_KEY_PAGE_DOWN;
	case KEY_HOME:
		return TOP_KEY_HOME;
	case KEY_END:
		return TOP_KEY_END;
	default:
		return key < 256 ? key : 0;
	}
}

/* All keys that are there, and a new size; false if that was the end */
static bool screen_keys(struct top *top)
{
	int key;

	while (!was_killed() && (key = getch()) != ERR) {
		if (key == CTRL_L)
			clearok(stdscr, TRUE);
		else if (!view_key(&top->view, key_of(key), top->now.num_socks))
			return false;
	}
	return true;
}

/* Until there is a key or a signal, or it is time; false if nobody is there */
static bool screen_wait(const struct top *top, double until,
			const sigset_t *mask)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	double left = until - time_now();
	struct timespec ts;

	left = left < 0 ? 0 : left;
	ts.tv_sec = left;
	ts.tv_nsec = (left - ts.tv_sec) * 1e9;
	return ppoll(&pfd, 1, top->view.paused ? NULL : &ts, mask) < 1 ||
	       !(pfd.revents & (POLLERR | POLLHUP | POLLNVAL));
}

/* Take a sample if it is time; 1 if that was the last */
static int top_sample_due(struct top *top)
{
	int err;

	if (top->view.paused || time_now() < top_due(top))
		return 0;
	if (top->count == 1)
		return 1;
	err = top_next(top);
	/* Devices that come and go all the time */
	if (err == -EAGAIN)
		return 0;
	if (!err && top->count)
		top->count--;
	return err;
}

static int top_loop(struct top *top, const sigset_t *mask)
{
	int ret = 0;

	while (!ret && !was_killed()) {
		screen_draw(top);
		if (!screen_wait(top, top_due(top), mask))
			return -EIO;
		if (!screen_keys(top))
			return 0;
		ret = top_sample_due(top);
	}
	return ret < 0 ? ret : 0;
}

int top_screen(struct top *top)
{
	sigset_t mask;
	int err;

	atexit(screen_end);
	signals_catch(&mask);
	if (screen_start())
		return CTL_FAILED;
	err = top_loop(top, &mask);
	screen_end();
	signals_obey(&mask);
	return err ? fail("top", err) : CTL_OK;
}
