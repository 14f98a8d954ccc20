#include <netdb.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
    char answer[100] = "";
    struct addrinfo *pi, ipv4 = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (getaddrinfo("pi", "5555", &ipv4, &pi) || connect(fd, pi->ai_addr, pi->ai_addrlen)) return 1;
    dprintf(fd, "LED TOGGLE #%lx%d\n", (long)time(NULL), (int)getpid());
    return read(fd, answer, sizeof answer - 1) > 0 && fputs(answer, stdout) >= 0 ? 0 : 1;
}
