FROM rockylinux:9
RUN dnf install -y httpd && dnf clean all
RUN yum -y update && yum -y install gcc make tar
RUN dnf -y install epel-release && dnf -y install nginx && rm -rf /var/cache/dnf
RUN rpm --import https://example.org/key && dnf install -y python3-pip
RUN useradd -r -u 1001 -g root app && mkdir -p /opt/app && chown -R 1001:0 /opt/app && chmod -R g=u /opt/app
RUN curl -sSL https://example.org/java.tar.gz -o /tmp/java.tar.gz && mkdir -p /opt/java && tar -xzf /tmp/java.tar.gz -C /opt/java --strip-components=1 && rm -f /tmp/java.tar.gz
RUN echo 'tsflags=nodocs' >> /etc/dnf/dnf.conf; sed -i 's/enabled=0/enabled=1/' /etc/yum.repos.d/rocky.repo
RUN source /etc/profile && echo "$PATH" > /srv/path
RUN pushd /opt && echo x > here && popd && pwd > /srv/there
