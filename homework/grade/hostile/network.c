/* Looks for somebody to talk to: the network, the host's sockets. */
#include <stdlib.h>
int main(void)
{
    return system("exec bash -c 'for port in 22 53 80 443; do "
                  "for host in 127.0.0.1 10.0.0.1 8.8.8.8; do "
                  "timeout 0.1 bash -c \"echo >/dev/tcp/$host/$port\" && "
                  "echo $host; done; done;"
                  "cat /proc/net/unix; ls /run /var/run' 2>&1");
}
