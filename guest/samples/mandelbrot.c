/*
 * mandelbrot.c - a picture of the Mandelbrot set.
 *
 *	{"width":640,"height":480,"x":-0.65,"y":0,"scale":3.2,"iterations":256}
 *	->  image/png
 *
 * The request is empty, or an object with some of the keys above; the example
 * has the defaults. `x` and `y` are the centre, `scale` is the width of the
 * view. The limits are in parameters[] below. A picture that takes longer than
 * the catalog's timeout is stopped by it.
 *
 * The palette and the PNG writer's table are computed once, before the
 * snapshot. The picture is written where the reply is read: it is not copied.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <thaw.h>

#include "json.h"
#include "png.h"

#define PIXELS_MAX (1 << 21) /* keeps the largest PNG under 4 MiB */
#define INSIDE 0	     /* index of black; the others are a cycle */
#define CYCLE (PNG_COLOURS - 1)
#define ESCAPE_SQUARED 1024.0 /* far out, so that colours blend smoothly */
#define KEY_MAX_BYTES 63

enum {
	WIDTH,
	HEIGHT,
	X,
	Y,
	SCALE,
	ITERATIONS,
	PARAMETERS
};

struct parameter {
	const char *name;
	double standard, min, max;
	bool whole;
	const char *range; /* min and max for people */
};

static const struct parameter parameters[PARAMETERS] = {
	[WIDTH] = { "width", 640, 1, 4096, true, "1 to 4096" },
	[HEIGHT] = { "height", 480, 1, 4096, true, "1 to 4096" },
	[X] = { "x", -0.65, -4, 4, false, "-4 to 4" },
	[Y] = { "y", 0, -4, 4, false, "-4 to 4" },
	[SCALE] = { "scale", 3.2, 1e-12, 16, false, "1e-12 to 16" },
	[ITERATIONS] = { "iterations", 256, 1, 10000, true, "1 to 10000" },
};

static struct png_image image;

THAW_INIT(make_palette)
{
	/* Places in the cycle, and their colours; the last is the first. */
	static const struct {
		unsigned place;
		uint8_t colour[3];
	} stops[] = {
		{ 0, { 0, 7, 100 } },	    { 41, { 32, 107, 203 } },
		{ 107, { 237, 255, 255 } }, { 164, { 255, 170, 0 } },
		{ 219, { 48, 2, 24 } },	    { CYCLE, { 0, 7, 100 } },
	};
	unsigned place, stop = 0, i;

	for (place = 0; place < CYCLE; place++) {
		if (place == stops[stop + 1].place)
			stop++;
		for (i = 0; i < 3; i++) {
			int from = stops[stop].colour[i];
			int to = stops[stop + 1].colour[i];
			int done = (int)(place - stops[stop].place);
			int all = (int)(stops[stop + 1].place -
					stops[stop].place);

			image.palette[1 + place][i] =
				(uint8_t)(from + (to - from) * done / all);
		}
	}
	png_init();
	return 0;
}

static void read_parameter(struct json *json, const char *key, double *values)
{
	const struct parameter *parameter;
	int i;

	for (i = 0; i < PARAMETERS; i++) {
		parameter = &parameters[i];
		if (strcmp(key, parameter->name) != 0)
			continue;
		if (!json_number(json, &values[i]))
			return;
		if (!(values[i] >= parameter->min) ||
		    !(values[i] <= parameter->max) ||
		    (parameter->whole && values[i] != floor(values[i])))
			thaw_fail("Mandelbrot.InvalidRequest",
				  "%s: a %s from %s is expected", key,
				  parameter->whole ? "whole number" : "number",
				  parameter->range);
		return;
	}
	thaw_fail("Mandelbrot.InvalidRequest", "%s: unknown parameter", key);
}

static void read_parameters(const struct thaw_request *request, double *values)
{
	struct json json = json_open(request->data, request->size);
	char key[KEY_MAX_BYTES + 1];
	int i;

	for (i = 0; i < PARAMETERS; i++)
		values[i] = parameters[i].standard;
	if (request->size == 0)
		return;
	json_object(&json);
	while (json_next_key(&json, key, sizeof(key)))
		read_parameter(&json, key, values);
	if (!json_close(&json))
		thaw_fail("Mandelbrot.InvalidRequest", "byte %zu: %s",
			  json_offset(&json), json.error);
	if (values[WIDTH] * values[HEIGHT] > PIXELS_MAX)
		thaw_fail("Mandelbrot.InvalidRequest",
			  "width x height: at most %d pixels", PIXELS_MAX);
}

/* The two largest parts of the set, where counting would take longest. */
static bool is_surely_inside(double x, double y)
{
	double q = (x - 0.25) * (x - 0.25) + y * y;

	return q * (q + x - 0.25) <= 0.25 * y * y ||
	       (x + 1) * (x + 1) + y * y <= 0.0625;
}

static uint8_t colour_of(double x, double y, int iterations)
{
	double re = 0, im = 0, re2 = 0, im2 = 0, smooth, cycles;
	int n;

	if (is_surely_inside(x, y))
		return INSIDE;
	for (n = 0; n < iterations && re2 + im2 <= ESCAPE_SQUARED; n++) {
		im = 2 * re * im + y;
		re = re2 - im2 + x;
		re2 = re * re;
		im2 = im * im;
	}
	if (re2 + im2 <= ESCAPE_SQUARED)
		return INSIDE;
	/* The count, continued between the whole numbers. */
	smooth = n + 4 - log2(log2(re2 + im2));
	cycles = smooth > 0 ? 0.55 * log2(smooth) : 0;
	return (uint8_t)(1 + (int)((cycles - floor(cycles)) * CYCLE));
}

static void draw(const double *values, uint8_t *rows)
{
	int width = (int)values[WIDTH], height = (int)values[HEIGHT];
	double pixel = values[SCALE] / width;
	uint8_t *at = rows;
	int row, column;

	for (row = 0; row < height; row++) {
		double y = values[Y] + (height / 2.0 - row - 0.5) * pixel;

		*at++ = 0;
		for (column = 0; column < width; column++) {
			double x = values[X] +
				   (column + 0.5 - width / 2.0) * pixel;

			*at++ = colour_of(x, y, (int)values[ITERATIONS]);
		}
	}
}

THAW_HANDLER(mandelbrot)
{
	double values[PARAMETERS];
	size_t capacity, size;
	uint8_t *rows;
	void *out;

	read_parameters(request, values);
	image.width = (uint32_t)values[WIDTH];
	image.height = (uint32_t)values[HEIGHT];
	rows = malloc(((size_t)image.width + 1) * image.height);
	if (!rows)
		thaw_fail("Mandelbrot.OutOfMemory",
			  "no room for the pixels: raise memory");
	draw(values, rows);
	image.rows = rows;

	out = thaw_reply_buffer(&capacity);
	size = png_encode(&image, out, capacity);
	if (size == 0 || thaw_reply_commit(size) < 0 ||
	    thaw_reply_type("image/png") < 0)
		thaw_fail("Mandelbrot.ReplyTooLarge",
			  "the picture does not fit: raise max_reply");
	return 0;
}
