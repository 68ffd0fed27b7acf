/*
 * invocation_echo.h - answers an invocation with its request, without a vm: for
 * `thaw serve --echo-function`, which measures the server alone.
 */
#ifndef EXECUTOR_SERVER_INVOCATION_ECHO_H
#define EXECUTOR_SERVER_INVOCATION_ECHO_H

struct invocation;

/* A deployment's answer(). On the thread of its runner. */
void invocation_echo(struct invocation *invocation);

#endif
