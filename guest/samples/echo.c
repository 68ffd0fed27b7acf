/*
 * echo.c - replies the request, byte for byte, with its content type.
 */
#include <thaw.h>

THAW_HANDLER(echo)
{
	if (request->content_type[0] != '\0' &&
	    thaw_reply_type(request->content_type) < 0)
		thaw_fail("Echo.ContentTypeTooLong", "%s",
			  request->content_type);
	if (thaw_reply(request->data, request->size) < 0)
		thaw_fail("Echo.ReplyTooLarge",
			  "%zu bytes do not fit: raise max_reply",
			  request->size);
	return 0;
}
